"""How many examples a property is tried with: Hypothesis' usual number, or a thousand at night."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A machine that is new or busy is slow for seconds: that is no fault of a property.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("usual"), max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
