"""What is typed wrong is told before anything is opened."""

import pytest

from meterline.cli import main


@pytest.mark.parametrize("command", ["quarantine", "conflicts"])
@pytest.mark.parametrize("limit", ["-1", "0", "1.5", "x", "", "1000000000"])
def test_a_limit_that_is_not_how_many_to_show_is_told(
    capsys: pytest.CaptureFixture[str], command: str, limit: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--limit", limit])
    assert ended.value.code == 2
    assert f"--limit: {limit}: expected a whole number from 1 to 999999999" in capsys.readouterr().err
