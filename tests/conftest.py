"""How far Hypothesis searches: the same cases on every machine by default, new ones each night."""

from hypothesis import HealthCheck, settings

# A deadline or a slow draw says how busy the machine is, not whether the law holds.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("default", _UNTIMED, derandomize=True)
settings.register_profile("nightly", _UNTIMED, derandomize=False, max_examples=2_000)
settings.load_profile("default")
