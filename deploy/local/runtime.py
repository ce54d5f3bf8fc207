"""
The local runtime: engine, queues, table, functions, mappings and gateway, put together.

Everything that runs beside this process ends with it; see `engine.py` and `function.py`.
"""

import contextlib
import re
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from deploy import contract as contracts
from deploy.contract import Contract, Entity
from deploy.local.api import Method
from deploy.local.api_import import BasePath
from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.deployment import EMBEDDED_SERVICES, Deployment, deploy, entity_of
from deploy.local.engine import ROOT, Engine, EngineError
from deploy.local.event_source import EventSourceMapping
from deploy.local.function import Function, InvocationError
from deploy.local.gateway import Gateway, Stage
from deploy.local.integrations.aws import Backend
from deploy.local.integrations.client import BackendClient
from deploy.local.report import notices, report
from deploy.local.resources import Access, Queue, Resources, create_queues, provision
from deploy.local.server import GatewayServer, bind
from deploy.local.stages.integration import Integrations

CONTRACT = ROOT / "openapi.yaml"

PLACEHOLDERS: Mapping[str, str] = {
    "AccountId": "000000000000",
    "ApiRoleArn": "arn:aws:iam::000000000000:role/api",
    "Partition": "aws",
    "QueueName": "users",
    "Region": "us-east-1",
    "TableName": "users",
}
"""What a contract's placeholders stand for here, unless it is said otherwise.

Queue and table of a contract that makes another entity are named after that.
"""

STAGE_VARIABLES: Mapping[str, str] = {"retryAfterMs": "20"}
"""The stage's variables, unless it is said otherwise."""

FUNCTION_TIMEOUT = 30.0
"""In seconds."""

VISIBILITY_TIMEOUT = 6 * FUNCTION_TIMEOUT
"""In seconds. Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"."""


class LocalRuntimeError(RuntimeError):
    """The local runtime cannot start, or cannot go on; the text says why."""


@dataclass(eq=False, kw_only=True)
class LocalRuntime:
    """
    The whole service on this machine, or as much of it as another contract needs.

    Args:
        contract: The contract's file; any document that API Gateway imports.
        stage: Name of the stage, the first segment of every path.
        stage_variables: Added to those of `STAGE_VARIABLES`, or instead of them.
        placeholders: Values for the contract's placeholders, instead of those of `PLACEHOLDERS`.
        endpoints: URLs by service (`sqs`, `dynamodb`, ...) that take the place of the embedded
            engine. With them, calls are signed with the credentials that boto3 finds at the start.
        base_path: What to do with the path of the contract's first server.
        port: Port of the gateway; 0 lets the system choose.
        visibility_timeout: Seconds until a message that failed comes back.
        concurrency: Invocations of the consumer at a time.
        log_level: What the functions log, as `AWS_LAMBDA_LOG_LEVEL` says it.

    Use as a context manager, or call `start()` and `stop()`.
    """

    contract: Path = CONTRACT
    stage: str = "local"
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    base_path: BasePath = "ignore"
    port: int = 0
    visibility_timeout: float = VISIBILITY_TIMEOUT
    concurrency: int = 2
    log_level: str = "WARNING"

    def __post_init__(self) -> None:
        """Issue the key; nothing runs before `start()`."""
        self._given = dict(self.placeholders)
        self.placeholders = with_defaults(self._given)
        self.region = self.placeholders["Region"]
        self.account_id = self.placeholders["AccountId"]
        self._keys = KeyStore()
        self.key: LocalKey = self._keys.issue(account_id=self.account_id)
        self.url = ""
        self.engine_url = ""
        self.report: Sequence[str] = ()
        self.methods: Sequence[Method] = ()
        self.entity: Entity | None = None
        self.url_variable = ""
        self.consumer: Function | None = None
        self._engine: Engine | None = None
        self._failed = threading.Event()
        self._failure: EngineError | None = None
        self._running = contextlib.ExitStack()

    def __enter__(self) -> "LocalRuntime":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start everything; returns when requests are answered.

        From then on `url` is the base URL of the stage, `engine_url` the endpoint of the embedded
        engine, empty if none is needed, `methods` what the contract has, and `report` what is to be
        said about it; that is so for a contract that is refused, too. With an `entity`, consumer
        and table belong to it.

        Raises:
            LocalRuntimeError: The port is in use, the contract cannot be used, a dependency is
                missing or of the wrong version, or a part does not start.
        """
        try:
            self._start()
        except _START_ERRORS as error:
            self.stop()
            raise LocalRuntimeError(_text(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, within two seconds; harmless if nothing runs."""
        self._running.close()

    def wait(self) -> None:
        """
        Wait until something breaks; in the main thread a signal's exception ends it, too.

        Raises:
            LocalRuntimeError: The engine crashed.
        """
        self._failed.wait()
        raise LocalRuntimeError(str(self._failure)) from self._failure

    def environment(self) -> dict[str, str]:
        """Return the variables that make the SDK, and other clients, use this runtime."""
        return {
            self.url_variable: self.url,
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def consumer_durations(self) -> list[float]:
        """Return the seconds that each of the consumer's latest invocations took."""
        return list(self.consumer.durations) if self.consumer else []

    def _start(self) -> None:
        # The port first: what cannot be had should be said before anything is started.
        listener = self._running.enter_context(bind(self.port))
        contract = contracts.load(self.contract)
        self.entity = entity_of(contract)
        self.url_variable = url_variable(contract.document)
        self.placeholders = with_defaults(self._given, self.entity)
        deployment = self._deploy(contract)
        self.methods = deployment.api.methods
        # Closed last, when nothing is left that its threads could wait for.
        pool = self._running.enter_context(ThreadPoolExecutor(2))
        self._engine = self._launch_engine(deployment)
        self.report = report(deployment.contract)
        access = self._access()
        server = GatewayServer(self._gateway(deployment, access), listener)
        # Told to stop before everything else, and waited for after it: a client that never finishes
        # its request is cut off while the rest stops.
        self._running.callback(server.stop)
        if deployment.entity is not None:
            self._start_chain(access, pool, deployment.entity)
        elif self._engine is not None:
            self._engine.wait_ready()
            create_queues(access, [] if "sqs" in self.endpoints else deployment.queues)
        server.start()
        self._running.callback(server.request_stop)
        self.url = f"{server.url}/{self.stage}"

    def _deploy(self, contract: Contract) -> Deployment:
        try:
            return deploy(
                contract,
                self.placeholders,
                endpoints=self.endpoints,
                base_path=self.base_path,
            )
        except contracts.ContractError:
            # One start tells all that there is to mend.
            self.report = notices(contract)
            raise

    def _start_chain(self, access: Access, pool: ThreadPoolExecutor, entity: Entity) -> None:
        self.consumer = consumer = self._function("consumer.handler.handler", access, entity)
        recorder = self._function("consumer.recorder.handler", access, entity)
        warm = pool.submit(consumer.warm)
        resources = pool.submit(self._provision, access, entity)
        self._start_mappings(access, resources.result(), consumer, recorder)
        warm.result()

    def _launch_engine(self, deployment: Deployment) -> Engine | None:
        if not deployment.services - self.endpoints.keys():
            return None
        engine = Engine(self._fail)
        self._running.callback(engine.stop)
        engine.launch()
        self.engine_url = engine.url
        return engine

    def _fail(self, error: EngineError) -> None:
        self._failure = error
        self._failed.set()

    def _access(self) -> Access:
        access = Access(
            sqs_url=self.endpoints.get("sqs", self.engine_url),
            dynamodb_url=self.endpoints.get("dynamodb", self.engine_url),
            region=self.region,
        )
        found = boto3.Session().get_credentials() if self.endpoints else None
        keys = found.get_frozen_credentials() if found else None
        if not keys or not keys.access_key or not keys.secret_key:
            return access
        return replace(
            access,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            session_token=keys.token,
        )

    def _gateway(self, deployment: Deployment, access: Access) -> Gateway:
        client = BackendClient()
        return Gateway(
            deployment.api,
            deployment.gateway_responses,
            stage=Stage(self.stage, {**STAGE_VARIABLES, **self.stage_variables}),
            integrations=Integrations(self._backends(access), client, deployment.api.id),
            client=client,
            keys=self._keys,
            account_id=self.account_id,
            region=self.region,
        )

    def _backends(self, access: Access) -> dict[str, Backend]:
        urls = {**dict.fromkeys(EMBEDDED_SERVICES, self.engine_url), **self.endpoints}
        return {
            service: Backend(
                url,
                access.access_key,
                access.secret_key,
                access.session_token,
                quirks=None if service in self.endpoints else "ministack",
            )
            for service, url in urls.items()
        }

    def _function(self, handler: str, access: Access, entity: Entity) -> Function:
        function = Function(
            handler,
            environment={
                **access.environment(),
                "AWS_LAMBDA_LOG_LEVEL": self.log_level,
                "ENTITY": entity.text,
                "TABLE_NAME": self.placeholders["TableName"],
            },
            timeout=FUNCTION_TIMEOUT,
            region=self.region,
            account_id=self.account_id,
        )
        self._running.callback(function.close)
        return function

    def _provision(self, access: Access, entity: Entity) -> Resources:
        if self._engine is not None:
            self._engine.wait_ready()
        return provision(
            access,
            entity,
            queue=self.placeholders["QueueName"],
            table=self.placeholders["TableName"],
            visibility_timeout=self.visibility_timeout,
        )

    def _start_mappings(
        self, access: Access, resources: Resources, consumer: Function, recorder: Function
    ) -> None:
        mappings = [
            self._mapping(access, resources.queue, consumer, self.concurrency),
            self._mapping(access, resources.dead_letters, recorder, 1),
        ]
        if self._engine is not None and "sqs" not in self.endpoints:
            # The queue ends with its engine, so no poll and no invocation is worth waiting for: a
            # poll that finds the engine gone is repeated by boto3 first, up to a second later.
            self._running.callback(self._engine.stop)
            self._running.callback(consumer.close)
            self._running.callback(recorder.close)
        else:
            for mapping in mappings:
                self._running.callback(mapping.stop)
        for mapping in mappings:
            mapping.start()
            self._running.callback(mapping.request_stop)

    def _mapping(
        self, access: Access, queue: Queue, function: Function, concurrency: int
    ) -> EventSourceMapping:
        return EventSourceMapping(
            access.sqs, queue, function, region=self.region, concurrency=concurrency
        )


def with_defaults(placeholders: Mapping[str, str], entity: Entity | None = None) -> dict[str, str]:
    """
    Return values for all placeholders that have a default here.

    Args:
        placeholders: What is given; it wins. CloudFormation's pseudo parameters and ours stand for
            the same, so that either gives the other.
        entity: What the contract makes; queue and table are named after it.
    """
    names = dict.fromkeys(("QueueName", "TableName"), entity.collection) if entity else {}
    same = {f"AWS::{name}": name for name in ("AccountId", "Partition", "Region")}
    given = {same[name]: value for name, value in placeholders.items() if name in same}
    ours = {**PLACEHOLDERS, **names, **given, **placeholders}
    pseudo = {name: ours[ours_name] for name, ours_name in same.items()}
    return {"AWS::URLSuffix": "amazonaws.com", **pseudo, **ours}


def url_variable(document: Mapping[str, Any]) -> str:
    """
    Name the variable in which the SDK of a document looks for its URL, as `USERS_API_URL`.

    The generator's rule, written again, as either stands without the other; a test compares them.
    """
    title = str(document.get("info", {}).get("title", ""))
    plain = unicodedata.normalize("NFKD", f"{title} URL").encode("ascii", "ignore").decode("ascii")
    name = "_".join(word.upper() for word in re.split(r"[\W_]+", plain) if word)
    return f"_{name}" if name[0].isdigit() else name


_START_ERRORS = (
    BotoCoreError,
    contracts.ContractError,
    EngineError,
    InvocationError,
    OSError,
)


def _text(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
