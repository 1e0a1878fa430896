"""`leave`: who cannot wait for somebody who goes for good, and a yes to the question that stops it with a status of its own."""


def test_what_stops_a_plan_is_said_and_ends_with_a_status_of_its_own(codes, tending, today):
    assert tending("leave", "plan", "T1", "--from", f"{today.year + 1}-06-01").code == 0
    waits = tending("leave", "set", "T1", codes["1001"], "waits")
    assert (waits.code, "nobody can wait for them" in waits.err) == (2, True)
    assert tending("leave", "set", "T1", codes["1001"], "ends").code == 0
    for code in codes.values():
        tending("leave", "set", "T1", code, "ends")
    done = tending("leave", "go", "T1", "--yes", "--personal", "yes")
    assert done.code == 2, done.out
    assert "Care is not ended in order to begin a personal relationship" in done.out
    assert done.err.endswith("Nothing was done: the plan is a draft as before.\n")
    assert tending("ending").out == "No ending is going on.\n"
