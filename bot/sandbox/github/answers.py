"""How GitHub answers what it refuses."""

from starlette.responses import JSONResponse


class ApiError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refusal(error: ApiError) -> JSONResponse:
    body = {"message": error.message, "documentation_url": "https://docs.github.com/rest", "status": str(error.code)}
    return JSONResponse(body, status_code=error.code)
