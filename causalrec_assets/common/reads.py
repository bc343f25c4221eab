"""What several assets read together, each read recorded as an input."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import polars as pl

from causalrec.answers import InputError
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.sensitive import refuse_withheld
from causalrec.logs.units.covariates import user_attributes
from causalrec.logs.units.day_counts import Frame, Has, day_before, every_day
from causalrec.logs.units.history import empty_history
from causalrec.model.outcome.model import OutcomeModel
from causalrec.policy.bundle import Bundled
from causalrec.settings.logs.calendar import FILE as CALENDAR
from causalrec.settings.logs.calendar import parse_calendar
from causalrec.settings.logs.covariates import FILE, CovariateSettings, parse_leave_out
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.objective import parse_objective
from causalrec.settings.policy import FILE as POLICY
from causalrec.settings.policy import KEY as ALLOW_SENSITIVE
from causalrec.settings.policy import parse_allowed, parse_policy
from causalrec_assets.lake.inputs import Inputs, Table
from causalrec_assets.lake.releases import Champion


def withheld_from_policies(inputs: Inputs, source: Source) -> frozenset[str]:
    """The attributes that no policy may read today.

    Raises:
        InputError: `policy.yaml` allows an attribute that `sources.yaml` does not declare sensitive.
    """
    allowed = {entry.column for entry in parse_allowed(inputs.setting_of(POLICY, ALLOW_SENSITIVE))}
    if unknown := sorted(allowed - set(source.sensitive)):
        raise InputError(
            f"{POLICY}: `{ALLOW_SENSITIVE}` names {unknown}, and the sensitive attributes are "
            f"{sorted(source.sensitive)} (sources.yaml: users.sensitive); correct the name, or remove the entry"
        )
    return frozenset(source.sensitive) - allowed


def covariate_settings(inputs: Inputs) -> CovariateSettings:
    """Read the two files, as inputs of what is built."""
    attributes = parse_source(inputs.setting("sources.yaml")).user_attributes
    left_out = parse_leave_out(inputs.setting(FILE), attributes)
    return CovariateSettings(parse_calendar(inputs.setting(CALENDAR)), left_out)


def tables_of(inputs: Inputs, source: Source) -> Has:
    """Which days have tables: each, but those of a sparse source for which nothing was landed."""
    if not source.sparse:
        return every_day
    zone, published = LandingZone.of(inputs.home), inputs.store.days("clean_events")
    return lambda day: zone.needs_partition(day, published)


def history_before(inputs: Inputs, day: date | None = None) -> Frame:
    """The history at the end of the day before a day (this partition's, unless another is named).

    Raises:
        MissingDay: It has not been published, and the day is not the source's first.
    """
    source, of = parse_source(inputs.setting("sources.yaml")), day or inputs.day
    if of < source.first_day:
        raise InputError(f"{of} is before the source's first day, {source.first_day} (sources.yaml)")
    before = day_before(source, of, tables_of(inputs, source))
    if source.sparse and day is None:
        # A day that is landed in between would go before it.
        inputs.note("before:history", str(before))
    return empty_history() if before is None else inputs.table("history", before).scan()


def load_model(models: Table, embeddings: Table) -> tuple[OutcomeModel, ItemVectors | None]:
    """The outcome model and item vectors of two published tables."""
    model = OutcomeModel.load(json.loads(models.file("card.json")), models.file("model.safetensors"))
    return model, ItemVectors.from_frame(embeddings.frame) if model.reads_content else None


def load_champion(inputs: Inputs, champion: Champion) -> Bundled:
    """The champion's bundle, from the versions that it names."""
    at = {
        name: inputs.table_at(name, where["day"], where["pointer"]) for name, where in champion.bundle["tables"].items()
    }
    model, vectors = load_model(at["outcome_model"], at["item_embeddings"])
    return Bundled(
        model, vectors, parse_policy(champion.bundle["policy"]), parse_objective(champion.bundle["objective"])
    )


def attributes_read(
    inputs: Inputs, source: Source, bundle: Bundled, users: Callable[[], Table], who: str
) -> pl.DataFrame | None:
    """The attributes of users that a policy ranks by; what it does not read is not even joined.

    Args:
        users: The table `users` as of the day of the slates; asked only where an attribute is read.
        who: The policy, in words.

    Raises:
        InputError: It reads a sensitive attribute that `policy.yaml` does not allow.
    """
    reads = [*bundle.model.design.names, *bundle.config.match]
    refuse_withheld(who, reads, withheld_from_policies(inputs, source))
    names = [name for name in source.user_attributes if name in bundle.model.design.names]
    if not names:
        return None
    listed = users()
    return user_attributes(listed.frame if listed.answer.answered else None, source, names)
