"""How property tests run: the same examples every time, and no clock."""

import hypothesis


def property_settings(num_examples):
    """Settings of so many examples."""
    return hypothesis.settings(
        max_examples=num_examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
