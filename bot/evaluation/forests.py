"""What scikit-learn has trained, as arrays that numpy alone evaluates."""

from typing import Any

from pipelines.evidence.ranker import Forest


def as_forest(model: Any) -> Forest:
    """scikit-learn's trees as plain arrays; leaves point to themselves."""
    import numpy

    trees = [predictors[0].nodes for predictors in model._predictors]
    width = max(len(nodes) for nodes in trees)
    shape = (len(trees), width)
    feature, threshold, value = numpy.zeros(shape, int), numpy.full(shape, numpy.inf), numpy.zeros(shape)
    left = numpy.tile(numpy.arange(width), (len(trees), 1))
    right = left.copy()
    for number, nodes in enumerate(trees):
        inner = numpy.flatnonzero(nodes["is_leaf"] == 0)
        feature[number, inner] = nodes["feature_idx"][inner]
        threshold[number, inner] = nodes["num_threshold"][inner]
        left[number, inner], right[number, inner] = nodes["left"][inner], nodes["right"][inner]
        value[number, : len(nodes)] = numpy.where(nodes["is_leaf"] == 1, nodes["value"], 0)
    depth = max(int(nodes["depth"].max()) for nodes in trees)
    return Forest(
        feature,
        threshold.astype(numpy.float32),
        left,
        right,
        value.astype(numpy.float32),
        depth,
        float(numpy.ravel(model._baseline_prediction)[0]),
    )
