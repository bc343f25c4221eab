"""What assets of several rooms read of the logs and their settings, each read recorded as an input."""

from __future__ import annotations

from datetime import date

from causalrec.answers import InputError
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.day_counts import Frame, Has, day_before, every_day
from causalrec.logs.units.history import empty_history
from causalrec.settings.logs.calendar import FILE as CALENDAR
from causalrec.settings.logs.calendar import parse_calendar
from causalrec.settings.logs.covariates import FILE, CovariateSettings, parse_leave_out
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.policy import FILE as POLICY
from causalrec.settings.policy import KEY as ALLOW_SENSITIVE
from causalrec.settings.policy import Allowance
from causalrec_assets.lake.inputs import Inputs


def withheld_from_policies(inputs: Inputs, source: Source) -> frozenset[str]:
    """The attributes that no policy may read today.

    Raises:
        InputError: `policy.yaml` allows an attribute that `sources.yaml` does not declare sensitive.
    """
    allowance = Allowance.parse({ALLOW_SENSITIVE: inputs.setting_of(POLICY, ALLOW_SENSITIVE)})
    allowed = {entry.column for entry in allowance.allow_sensitive}
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
