"""The lifecycles' page says what the tables say."""

from tools.lifecycles import TARGET, written


def test_the_page_is_written_from_the_tables() -> None:
    assert TARGET.read_text("utf-8") == written(), "run make lifecycles"
