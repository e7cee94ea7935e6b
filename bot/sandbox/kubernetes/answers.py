"""How the API server answers: Status objects, and the exception that becomes one."""

from starlette.responses import JSONResponse

_CODES = {"BadRequest": 400, "Unauthorized": 401, "Forbidden": 403, "NotFound": 404, "AlreadyExists": 409,
          "Invalid": 422, "InternalError": 500, "ServiceUnavailable": 503}  # fmt: skip


class ApiError(Exception):
    """`reason` is Kubernetes' own word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def status(error: ApiError) -> JSONResponse:
    code = _CODES[error.reason]
    body = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": error.message, "reason": error.reason, "code": code,
    }  # fmt: skip
    return JSONResponse(body, status_code=code)
