"""What most people would write instead, as small as it can be: run by uvicorn in processes of their own, beside ours.

`vader`: FastAPI and vaderSentiment's stock analyser, with nothing on: no cache, no record, no metrics. `cached`: a Litestar route that
makes one GET in Redis. Started with `uvicorn sentiment_platform_tests.benchmarks.peers:vader --factory`.
"""

import os
from typing import Any


def vader() -> Any:
    """POST /predict/vader; a worker thread a request, as FastAPI runs a plain function."""
    from fastapi import FastAPI
    from pydantic import create_model
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    app = FastAPI()
    body: Any = create_model("Body", text=(str, ...))

    def predict(query: Any) -> dict[str, Any]:
        return {"sentiment": analyser.polarity_scores(query.text)["compound"], "model_used": "vader"}

    predict.__annotations__["query"] = body
    app.post("/predict/vader")(predict)
    return app


def cached() -> Any:
    """POST /predict/vader that answers with what `answer` is in the Redis of REDIS_URL."""
    from litestar import Litestar, Response, post
    from redis.asyncio import Redis

    redis: Any = Redis.from_url(os.environ["REDIS_URL"])

    @post("/predict/vader", status_code=200)
    async def predict(data: dict[str, str]) -> Response[bytes]:
        return Response(await redis.get("answer"), media_type="application/json")

    predict.fn.__annotations__["data"] = dict[str, str]
    return Litestar([predict], logging_config=None, openapi_config=None)


def transformer() -> Any:
    """POST /predict/finbert: the ONNX file in the folder SENTIMENT_BENCH_MODEL, a session of one thread, a worker thread a request."""
    from pathlib import Path

    import numpy as np
    from fastapi import FastAPI
    from onnxruntime import InferenceSession, SessionOptions
    from pydantic import create_model
    from tokenizers import Tokenizer

    folder = Path(os.environ["SENTIMENT_BENCH_MODEL"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    options: Any = SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    app = FastAPI()
    body: Any = create_model("Body", text=(str, ...))

    def predict(query: Any) -> dict[str, Any]:
        encoded = tokenizer.encode(query.text)
        given = {"input_ids": encoded.ids[:128], "attention_mask": encoded.attention_mask[:128]}
        (scores,) = session.run(None, {name: np.array([row], dtype=np.int64) for name, row in given.items()})
        likely = np.exp(scores[0] - scores[0].max())
        return {"probabilities": (likely / likely.sum()).tolist(), "model_used": "finbert"}

    predict.__annotations__["query"] = body
    app.post("/predict/finbert")(predict)
    return app
