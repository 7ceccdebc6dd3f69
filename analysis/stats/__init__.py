"""The statistics: arrays in, frozen results out; nothing here knows a file, a market or a study.

A method of several modules is a package that offers its public functions. The Granger family and the tools that all use
are modules here, and those that begin with another's name hold its parts.

==========================================  ================================================================
``lagged``, ``covariance``, ``regression``  lagged products, robust covariances, least squares
``granger``                                 causality in mean; ``_varying`` over time, ``_frequency`` and
                                            ``_spectral``, ``_quantile``, ``_variance``, ``_nonlinear``,
                                            ``_strength``, ``_instability`` (a link at an unknown date)
``crosscorr``, ``leadlag``,                 correlation at leads and lags; asynchronous ticks; the same
``asynchronous``, ``clocks``                series under several clocks
``cross_quantilogram``, ``transfer_entropy``  dependence beyond the mean
``quantile/``                               quantile regression and its bootstrap
``regimes``, ``states``, ``switching/``     observed and hidden regimes, thresholds
``eventstudy/``                             returns after events, matched dates and placebo calendars
``dynamics/``                               vector autoregressions, responses, local projections, equality
``connectedness/``                          who gives and who receives; rolling, by frequency
``volatility/``                             GARCH, correlation that moves
``tails/``                                  joint extremes, downside betas, CoVaR
``breaks/``                                 dates of change, constancy, declared dates
``forecast/``                               out-of-sample accuracy, timing rules, leaks
``sensitivity``, ``exposures``, ``loadings``  one group of shares against another
``multiplicity``                            corrections for many tests
``diagnostics``, ``unitroots``              what a series is like
``compiled``                                the one way to compile a loop
==========================================  ================================================================
"""
