"""What is said at the terminal, said at the desk and in mails that lead there: with the desk's own way in place of a command."""

import re

_HERE: tuple[tuple[str, str], ...] = (
    (r"; `tending end` does\.", "; the client's page starts one."),
    (r" `tending end` starts another one\.", " The client's page starts another one."),
    (r"; `tending ending` shows it\.", "; the client's page shows it."),
    (r"[:,] `tending ending`\.", "."),
    (r": `tending refer CLIENT offer` writes them down", ": the client's page has a place to write them down"),
    (r"say so with `could-not referral --reason declined`", "say that it could not be done"),
    (r"`tending ending \S+` shows them all", "the client's page shows them all"),
    (r"`tending ending \S+ schedule` proposes times", "The client's page proposes times"),
    (r"`tending findings` and `tending status` show what stands", "the desk shows what stands"),
    (r"`tending findings` lists", "the desk lists"),
    (r"Answer with `--personal no` or `--personal yes`;", "The answer is no or yes;"),
    (r"only `--reason death` is left, which", "only that reason is left, which"),
    (r"`reopen` it first", "open it again first"),
    (r"say so with `could-not \w+`", "say that it could not be done"),
    (r"; here a step that could not be done says so, `[^`]*`", "; here say of a step that it could not be done"),
    (r"A reason goes with `could-not`; what .*", "A reason goes with what could not be done alone."),
    (r" If that was said by mistake, `[^`]*` takes it back\.", " If that was said by mistake, withdraw that ending."),
    (r"note each `attempt`", "note each time"),
    (r"begins with `offer`", "begins with places that are offered"),
    (r"begin with `offer`", "begin with places that are offered"),
    (r", or `news booked` until then", ", or that a visit is booked until then"),
    (r"; say `booked` until then", "; until then say that a visit is booked"),
    (r"say with --fewer why there are not(: [^.]*)?", "say why there are not"),
    (r"; `tending providers` lists who is, by id", "; open the page anew"),
    (r": `tending providers` finds others", ": look for others"),
    (r" with `tending refer`", ""),
    (r"; correct --from or --to", "; correct the days"),
    (r"; `tending leave set` names somebody", "; name somebody"),
    (r"`known` is for a risk; here say .*", "That answer is for a risk; choose another one."),
    (r"A risk is answered with done, .*", "A risk is not answered like that; choose one of the answers of its card."),
    (r"Quiet, Missed and Not started; here say .*", "Quiet, Missed and Not started; choose another one here."),
    (r"; say `known` with a day where there is a plan", "; where there is a plan, say until when it holds"),
    (r"A rhythm goes with `agreed` alone\.", "A rhythm goes with what was agreed alone."),
    (r"A day does not go with `[^`]*`\.", "A day does not go with that answer."),
    (r"Say until when: `[^`]*` needs a day \(`--until`\)\.", "Choose the day on which you want to be asked again."),
    (r"Say why with `--reason`: .*", "Say why: choose one of the reasons."),
    (r"`[^`]*` takes no reason\.", "That answer takes no reason."),
    (r"Longer than 90 days is no snooze:", "Longer than 90 days is too long to wait:"),
    (r" \(`[^`]*`\)", ""),
)
HERE = [(re.compile(found), said) for found, said in _HERE]


def here(sentence: str) -> str:
    """A sentence as the desk says it."""
    for found, said in HERE:
        sentence = found.sub(said, sentence)
    return sentence
