"""What Schemathesis may find and we mean: rules that JSON Schema has no words for, each with its reason.

Loaded by Schemathesis in its own environment, so it imports nothing of the project.
"""

import json
import re

import schemathesis

# A schema-valid request that is answered 422 is a finding unless every fault it names is one of these.
UNSAID = {
    "an opaque cursor is one that a list gave": r"\?cursor: ",
    "a view has fewer sort keys than the public list": r"\?sort: A view is sorted by",
    "a tag is more than its pattern": r"[^:]+: Value error, not a BCP 47 language tag",
    "not every month has 31 days": r"[^:]+: Value error, .* is no date of the calendar",
    "codes of long lists stand in /v1/reference": r"[^:]+: Value error, not a country code of the list",
    "zones are those of the IANA database": r"[^:]+: Value error, not a zone of the IANA database",
    "a day has bounds": r"[^:]+: (Value error, )?Input should be (greater|less) than or equal to \d{4}-\d\d-\d\d",
    "a range ends after it starts": r"\?to: Before `from`",
    "whole days have no zone": r"/timezone: Whole days have no zone",
    "who takes part stands in the pledge": r"/name: Not found",
    "an event's dates go together": r"/(starts_on|ends_on|starts_at|ends_at|timezone|precision|recurrence): "
    r"(Hours |Less than|It ends|The calendar goes|What recurs|An event lasts|By the hours|Without a start|Say on|"
    r"An end |Out of range|For reschedule|starts_on or)",
    "what is assigned is named": r"/(lead|objectives)(_status)?: (`a|With objectives|Name the objectives)",
    "a statement is for a day of its event": r"/occurs_on: Not a day",
    "some actions need a comment": r"/comment: A comment is needed",
    "a statement is for an event that there is": r"/event: No published event has this id",
    "a file is judged by its content": r": (The file|The content|Files of this kind)",
    "a file's name ends in its kind": r"\?name: Such as",
    "an amount goes with its currency": r"/currency: An amount goes with its currency",
    "a contribution and a transfer move money": r"/amount: ",
    "criteria are those of the policy in force": r"/criteria/",
    "PostgreSQL stores no NUL": r"[^:]*: NUL character",
}
UNSAID_RULES = [re.compile(rule) for rule in UNSAID.values()]


@schemathesis.hook
def filter_failure(context, failure, case, response):  # type: ignore[no-untyped-def] # its types live elsewhere
    """False drops the failure."""
    if failure.code != "ST202" or response.status_code != 422:
        return True
    problem = json.loads(response.content)
    if problem["type"] in ("/problems/incomplete", "/problems/key-reused"):
        # Drafts may be incomplete, so no schema says what `submit` needs; nor which keys were used before.
        return False
    faults = [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
    return not faults or not all(any(rule.match(fault) for rule in UNSAID_RULES) for fault in faults)
