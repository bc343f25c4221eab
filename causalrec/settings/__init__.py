"""Each YAML file of `data/` that people write settings in, as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalrec.settings.base import Settings


def models() -> tuple[type[Settings], ...]:
    """Every file's model, in the order of what the files shape; one file may have parts in two models.

    Whoever needs one of them imports that one: what an asset imports is its code.
    """
    from causalrec.settings.deployment.alerts import AlertsFile
    from causalrec.settings.deployment.lake import LakeSettings
    from causalrec.settings.deployment.operations import Operations
    from causalrec.settings.deployment.tracking import TrackingSettings
    from causalrec.settings.discovery import Search
    from causalrec.settings.learning import Learning
    from causalrec.settings.logs.calendar import Calendar
    from causalrec.settings.logs.cleaning import CleaningRules
    from causalrec.settings.logs.covariates import Covariates
    from causalrec.settings.logs.sources import Source
    from causalrec.settings.model import ModelSettings
    from causalrec.settings.objective import Objective
    from causalrec.settings.policy import PolicyConfig
    from causalrec.settings.questions import Questions
    from causalrec.settings.release import ReleaseRule
    from causalrec.settings.serving import ServingSettings

    logs = (Source, CleaningRules, Calendar, Covariates)
    science = (Questions, Search, Learning, ModelSettings, Objective, PolicyConfig, ReleaseRule, ServingSettings)
    return (*logs, *science, Operations, AlertsFile, LakeSettings, TrackingSettings)
