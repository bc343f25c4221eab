"""How an effect is identified: strategies in order of preference. One file and one line here make another one."""

from __future__ import annotations

from causalrec.graph.identification.back_door import BackDoor
from causalrec.graph.identification.front_door import FrontDoorStrategy
from causalrec.graph.identification.instrument import InstrumentStrategy
from causalrec.graph.identification.protocol import IdentificationStrategy
from causalrec.registry import by_name

STRATEGIES: dict[str, IdentificationStrategy] = by_name(BackDoor(), FrontDoorStrategy(), InstrumentStrategy())
"""The preferred one first: the front door gives the effect among all units, an instrument that among some."""
