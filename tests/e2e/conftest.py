import openai
import pytest

import serving


def pytest_collection_modifyitems(items):
    if serving.model_present():
        return
    reason = f"{serving.MODEL} has not been fetched (deploy/models.sh {serving.MODEL})"
    for item in items:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def server():
    """One server for the tests that do not change it."""
    running = serving.Server().wait_ready()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=120)


@pytest.fixture(scope="session")
def coder():
    """One server of a model that calls tools and fills gaps; as strict about `model` as OpenAI is."""
    if not serving.model_present(serving.CODER):
        pytest.skip(f"SKIPPED: {serving.CODER} has not been fetched (deploy/models.sh {serving.CODER})")
    running = serving.Server("--max-model-len", "4096", "--require-model", "--enable-scale-out",
                             model=serving.CODER).wait_ready()
    yield running
    running.stop()


@pytest.fixture
def start():
    """Starts further servers, and stops them when the test is over."""
    servers = []

    def start_server(*flags, **options):
        servers.append(serving.Server(*flags, **options))
        return servers[-1]

    yield start_server
    for running in servers:
        if running.process.poll() is None:
            running.stop()
