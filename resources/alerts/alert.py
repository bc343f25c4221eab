"""One thing that a person should know."""

from dataclasses import dataclass

from causalrec.settings.deployment.alerts import AlertKind


@dataclass(frozen=True)
class Alert:
    """One thing that a person should know.

    Attributes:
        title: One line.
        happened: What happened, what is blocked, and what is still served.
        to_do: What to do about it.
    """

    kind: AlertKind
    title: str
    happened: str
    to_do: str
    asset: str | None = None
    partition: str | None = None
    run_id: str | None = None
