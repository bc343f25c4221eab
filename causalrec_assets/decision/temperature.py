"""The temperature that `policy.yaml` leaves out, found on contexts of the training days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from causalrec.answers import Answer, insufficient_evidence
from causalrec.logs.units.covariates import context_columns
from causalrec.policy.bundle import Bundled, why_it_cannot_rank
from causalrec.policy.grid import Scored
from causalrec.policy.policies.temperature import needs_contexts, with_temperature
from causalrec.policy.retrieval import Asked, score
from causalrec.settings.logs.sources import Source
from causalrec_assets.common.training_days import training_days
from causalrec_assets.lake.inputs import Inputs

DAYS, CONTEXTS, PAIRS = 3, 300, 1_000_000
"""The newest training days; of each a third of so many contexts, fewer where the catalogue is large."""


def challenger_of(inputs: Inputs, source: Source, bundle: Bundled) -> tuple[Bundled | None, Answer | None]:
    """A bundle with its temperature; or None, and why its policy cannot act.

    Args:
        bundle: With the objective's form, and the dials as stated.
    """
    if cannot := why_it_cannot_rank(bundle.model, bundle.objective):
        return None, cannot
    parts: list[Scored] = []
    if needs_contexts(bundle.config, bundle.objective):
        parts = [part for part in _scored(inputs, source, bundle) if part.eligible.any()]
        if not parts:
            return None, insufficient_evidence(
                "policy.yaml leaves the temperature out, and no context of the training days has a candidate to find "
                "it on"
            )
    return replace(bundle, config=with_temperature(bundle.config, bundle.objective, parts)), None


def _scored(inputs: Inputs, source: Source, bundle: Bundled) -> Iterator[Scored]:
    reads = [*context_columns(source), *(c for c in bundle.model.design.names if c == "position")]
    users = ["user_id"] if source.has("user_id") else []
    for day in training_days(inputs, source, bundle.model, newest=DAYS):
        # A slot's context, as units are judged in it; in the order of the day's rows.
        slots = day.units.filter(day.units["recommended"] == 1).select("time", "user_id", *reads)
        contexts = slots.unique([*users, *reads], keep="first", maintain_order=True)
        ranked = min(day.catalogue.height, bundle.config.candidates or day.catalogue.height)
        few = max(1, min(CONTEXTS, PAIRS // max(1, ranked)) // DAYS)
        if contexts.height > few:
            contexts = contexts.sample(few, seed=inputs.seed)
        asked = Asked.nothing([inputs.seed, day.day.toordinal()])
        yield from score(contexts, day.catalogue, day.state, source, bundle, asked)
