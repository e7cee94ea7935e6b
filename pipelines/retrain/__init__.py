"""Retraining: order, plan, approval, run, evaluate, gate, register, publish, report."""
