"""The page about the rule is what its examples say today."""

from tests.rules.render import PAGE, page


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.rules.render"
