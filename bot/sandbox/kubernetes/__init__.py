"""A stand-in for the Kubernetes API, at the wire: the real client runs against it unmodified."""

from bot.sandbox.kubernetes.server import KubernetesSandbox

__all__ = ["KubernetesSandbox"]
