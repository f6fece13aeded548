"""No cell that is written is a formula, and each is read back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from keepstep.store.harmless import guarded, unguarded

cells = st.text() | st.builds(
    lambda start, rest: start + rest, st.sampled_from(list("'=+-@\t\r\n\uff1d ")), st.text()
)


@given(cells)
def test_no_guarded_cell_begins_as_a_formula_does(text: str) -> None:
    assert (
        not guarded(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    )


@given(cells)
def test_a_guarded_cell_is_read_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert [guarded(text) for text in ("", "Anna", "a=b", "'s Gravenhage")] == [
        "",
        "Anna",
        "a=b",
        "'s Gravenhage",
    ]
    assert guarded("=1+1") == "'=1+1"
    assert guarded(" =1+1") == "' =1+1"
