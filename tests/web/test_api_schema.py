"""Schemathesis reads /openapi.json and asks the site whatever it allows, and what it does not."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.topics import WishedTopic
from topics.query import parse

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = ["GET /papers", "GET /papers/{key}", "GET /topics", "GET /topics/{public_id}", "GET /preview"]
#: What schemathesis would seldom guess: the answers below are those with papers in them.
KNOWN = {
    "GET /papers": {"query": {"q": "tides"}},
    "GET /papers/{key}": {"path_parameters": {"key": "arxiv:2611.00004"}},
    "GET /topics": {},
    "GET /topics/{public_id}": {"path_parameters": {"public_id": "schema-eels"}},
    "GET /preview": {"query": {"q": "tides eels -moons"}},
}


@pytest.fixture(scope="module")
def description(stocked):
    wished = WishedTopic("Eels", parse("eels -schema"))
    stocked.house.shared_topics.publish(wished, "schema-eels", stocked.clock.now())
    host, port = stocked.address
    return schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json", config=schemathesis.Config())


def test_the_operations_are_all_that_there_are(description):
    assert [each.ok().label for each in description.get_all_operations()] == OPERATIONS


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_site_answers_as_it_says(description, operation, mode):
    asked = description.find_operation_by_label(operation)
    if operation == "GET /topics" and mode is GenerationMode.NEGATIVE:
        return  # it takes nothing that could be wrong

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=asked.as_strategy(generation_mode=mode))
    def obeys(case):
        case.call_and_validate(checks=CHECKS)

    obeys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_known_to_be_there_is_answered_as_described(description, operation):
    case = description.find_operation_by_label(operation).Case(**KNOWN[operation])

    assert case.call_and_validate(checks=CHECKS).status_code == 200
