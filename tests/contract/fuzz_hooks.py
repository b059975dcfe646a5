"""What Schemathesis may find and we mean: rules that JSON Schema has no words for, each with its reason.

Loaded by Schemathesis in its own environment, so it imports nothing of the project.
"""

import json
import re

import schemathesis

# A schema-valid request that is answered 422 is a finding unless every fault it names is one of these.
UNSAID = {
    "an opaque cursor is one that a list gave": r"\?cursor: ",
}
UNSAID_RULES = [re.compile(rule) for rule in UNSAID.values()]


@schemathesis.hook
def filter_failure(context, failure, case, response):  # type: ignore[no-untyped-def] # its types live elsewhere
    """False drops the failure."""
    if failure.code != "ST202" or response.status_code != 422:
        return True
    problem = json.loads(response.content)
    if problem["type"] == "/problems/incomplete":
        # Drafts may be incomplete, so no schema says what `submit` needs.
        return False
    faults = [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
    return not faults or not all(any(rule.match(fault) for rule in UNSAID_RULES) for fault in faults)
