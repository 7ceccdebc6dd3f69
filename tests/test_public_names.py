"""The names that notebooks and other packages call stay where they are, with their keywords."""

from __future__ import annotations

import importlib
import inspect

import pytest

NAMES = {
    "granger": {
        "granger_test": ("lags", "given", "cov", "trend", "bootstrap", "rng"),
        "toda_yamamoto": (),
        "instantaneous_causality": (),
        "block_exogeneity": (),
    },
    "granger_varying": {"time_varying_granger": ("given", "lags", "extra_lags", "window", "cov", "bootstrap", "rng")},
    "granger_spectral": {"breitung_candelon": ("lags", "frequencies"), "geweke_spectrum": ()},
    "granger_strength": {"geweke_strength_from_var": ()},
    "granger_quantile": {"quantile_granger": (), "cross_quantilogram": ("quantiles", "max_lag")},
    "granger_variance": {"cheung_ng": (), "hong": (), "hafner_herwartz": ()},
    "granger_nonlinear": {"diks_panchenko": ()},
    "crosscorr": {"cross_correlation": ("max_lag",)},
    "regimes": {
        "state_granger": (),
        "state_correlation": (),
        "markov_switching": ("states", "switching_variance"),
        "threshold_test": (),
    },
    "eventstudy": {"event_study": ("market", "window", "estimation")},
    "dynamics": {
        "fit_var": ("lags",),
        "impulse_response": (),
        "local_projection": ("shock", "lags", "horizons", "cov"),
        "variance_decomposition": (),
    },
    "connectedness": {"connectedness": ("lags", "horizon", "method"), "frequency_connectedness": ("bands",)},
    "volatility": {"fit_garch": ("mean", "vol", "dist"), "dynamic_correlation": ()},
    "tails": {"tail_dependence": (), "delta_covar": ()},
    "breaks": {"bai_perron": ("trim", "max_breaks"), "sup_f": ("trim",), "cusum": (), "correlation_break": ()},
    "forecast": {"clark_west": (), "diebold_mariano": (), "giacomini_white": (), "oos_r2": ()},
    "multiplicity": {"adjust": (), "romano_wolf": ()},
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in NAMES.items() for name in names])
def test_a_public_name_is_where_it_was_with_its_keywords(module: str, name: str) -> None:
    function = getattr(importlib.import_module(f"analysis.stats.{module}"), name)
    parameters = inspect.signature(function).parameters
    assert set(NAMES[module][name]) <= set(parameters)
    assert inspect.getdoc(function)


def test_all_pairs_are_scanned_from_one_place() -> None:
    from analysis.scan.pairs import granger_matrix

    assert {"lags", "cov"} <= set(inspect.signature(granger_matrix).parameters)
