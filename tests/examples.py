"""How often a property is tried whose example is dear: a quarter as often as the profile says."""

from hypothesis import settings

a_quarter = settings(max_examples=settings.default.max_examples // 4)
