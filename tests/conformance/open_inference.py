"""The answers of the Open Inference Protocol as JSON schemas: specification/protocol/open_inference_rest.yaml of
github.com/kserve/open-inference-protocol (Apache-2.0), its components by their names there."""

from typing import Any

_TENSOR_DATA: dict[str, Any] = {
    "type": "array",
    "items": {
        "anyOf": [
            {"$ref": "#/$defs/tensor_data"}, {"type": "number"}, {"type": "string"}, {"type": "boolean"},
        ]
    },
}  # fmt: skip
_SHAPE = {"type": "array", "items": {"type": "integer"}}
_METADATA_TENSOR = {
    "type": "object", "required": ["name", "datatype", "shape"],
    "properties": {"name": {"type": "string"}, "datatype": {"type": "string"}, "shape": _SHAPE},
}  # fmt: skip
_RESPONSE_OUTPUT = {
    "type": "object", "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"type": "string"}, "shape": _SHAPE, "datatype": {"type": "string"},
        "parameters": {"type": "object"}, "data": {"$ref": "#/$defs/tensor_data"},
    },
}  # fmt: skip
SCHEMAS: dict[str, dict[str, Any]] = {
    "metadata_server_response": {
        "type": "object", "required": ["name", "version", "extensions"],
        "properties": {
            "name": {"type": "string"}, "version": {"type": "string"},
            "extensions": {"type": "array", "items": {"type": "string"}},
        },
    },
    "metadata_model_response": {
        "type": "object", "required": ["name", "platform"],
        "properties": {
            "name": {"type": "string"}, "versions": {"type": "array", "items": {"type": "string"}},
            "platform": {"type": "string"}, "inputs": {"type": "array", "items": _METADATA_TENSOR},
            "outputs": {"type": "array", "items": _METADATA_TENSOR},
        },
    },
    "inference_response": {
        "type": "object", "required": ["model_name", "outputs"], "$defs": {"tensor_data": _TENSOR_DATA},
        "properties": {
            "model_name": {"type": "string"}, "model_version": {"type": "string"}, "id": {"type": "string"},
            "parameters": {"type": "object"}, "outputs": {"type": "array", "items": _RESPONSE_OUTPUT},
        },
    },
    "inference_error_response": {
        "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}},
    },
}  # fmt: skip
