"""Published log tables carry the lineage of each of their columns."""

from tests.logs.units.test_lineage import UPSTREAM
from tests.worlds import FIRST, LOGS, make_home, materialise, tiny, words


def test_published_tables_carry_the_lineage_of_each_of_their_columns(tmp_path):
    home = make_home(tmp_path / "home", tiny(days=1, events_per_day=200))
    result = materialise(home, FIRST, LOGS)
    assert result.success, words(result)
    shown = {
        e.asset_key.path[-1]: e.step_materialization_data.materialization.metadata
        for e in result.get_asset_materialization_events()
    }
    for table in LOGS:
        lineage = shown[table]["dagster/column_lineage"].value.deps_by_column
        columns = [column.name for column in shown[table]["dagster/column_schema"].value.columns]
        assert list(lineage) == columns, table
        for deps in lineage.values():
            for dep in deps:
                upstream = dep.asset_key.path[-1]
                assert upstream in UPSTREAM[table]
                if upstream in shown:
                    assert dep.column_name in [c.name for c in shown[upstream]["dagster/column_schema"].value.columns]
