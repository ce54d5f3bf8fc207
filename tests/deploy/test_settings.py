"""Settings of the stages."""

import dataclasses

import pytest

from deploy.settings import DEV, PROD, STAGES, stage_settings


def test_production_keeps_its_data() -> None:
    """Production is protected, recoverable and watched; development is cheap to throw away."""
    assert (PROD.keep_data, PROD.recovery_days, PROD.alarms) == (True, 35, True)
    assert (DEV.keep_data, DEV.recovery_days, DEV.alarms) == (False, 0, False)


def test_a_stage_is_found_by_its_name() -> None:
    """Every stage goes by its own name."""
    assert all(stage_settings(name).name == name for name in STAGES)


def test_an_unknown_stage_is_an_error_that_names_the_known() -> None:
    """A slip of the pen does not deploy a new stage."""
    with pytest.raises(ValueError, match="no stage 'pord': choose one of dev, prod"):
        stage_settings("pord")


@pytest.mark.parametrize(("field", "value"), [("recovery_days", 36), ("max_concurrency", 1)])
def test_what_aws_would_refuse_is_refused_at_once(field: str, value: int) -> None:
    """Values out of AWS's ranges do not wait for the deployment."""
    changes: dict[str, int] = {field: value}
    with pytest.raises(ValueError, match=f"{field} must be from"):
        dataclasses.replace(DEV, **changes)  # type: ignore[arg-type]
