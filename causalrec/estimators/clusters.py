"""What clusters of unequal sizes are worth: how many equal ones, and how well they tell a standard error."""

from __future__ import annotations

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.estimators.weights import effective_sample_size


def cluster_sizes(clusters: Codes) -> Floats:
    """Rows of each cluster, (G,), in the order of the codes."""
    return np.unique(np.asarray(clusters), return_counts=True)[1].astype(np.float64)


def effective_clusters(clusters: Codes) -> float:
    """How many clusters of one size these clusters are worth.

    (sum n_g)^2 / sum n_g^2

    Args:
        clusters: (n,) codes; equal codes are one cluster.

    Returns:
        Clusters, in [1, G]; 0 without a row.

    Source:
        Kish (1965), "Survey Sampling", section 11.7, of the sizes; Carter, Schnepel and Steigerwald (2017), Review of
        Economics and Statistics 99(4), where rows of a cluster share all that is not known.

    Not for:
        How rare the outcome is: clusters without one say little, however many there are.
    """
    return effective_sample_size(cluster_sizes(clusters))


def unequal_factor(sizes: Floats) -> float:
    """What a clustered mean's variance is multiplied by where clusters have different sizes: 1 / (1 - sum p_g^2).

    Deviations are taken from a mean that a large cluster moves towards itself, so that its own are too small. With
    clusters of one size it is G / (G - 1).

    Args:
        sizes: n_g, (G,), G >= 2, positive; p_g = n_g / n.

    Source:
        Bell and McCaffrey (2002), Survey Methodology 28(2), bias reduction of a mean of independent rows.
    """
    share = sizes / sizes.sum()
    return float(1.0 / (1.0 - (share**2).sum()))


def unequal_degrees(sizes: Floats) -> float:
    """Degrees of freedom of a clustered mean's variance where clusters have different sizes.

    Satterthwaite's: (1 - K)^2 / (K - 2 sum p_g^3 + K^2), with K = sum p_g^2. That is tr(B)^2 / tr(B^2) of
    B = (I - p 1') diag(p) (I - 1 p'), the covariance of the clusters' summed deviations where rows are independent
    and of one variance. With clusters of one size it is G - 1.

    Args:
        sizes: n_g, (G,), G >= 2, positive; p_g = n_g / n.

    Source:
        Bell and McCaffrey (2002), Survey Methodology 28(2); Imbens and Kolesar (2016), Review of Economics and
        Statistics 98(4).

    Not for:
        Rows of a cluster that share most of what is not known: there are fewer degrees then.
    """
    share = sizes / sizes.sum()
    squares = float((share**2).sum())
    return float((1.0 - squares) ** 2 / (squares - 2.0 * (share**3).sum() + squares**2))
