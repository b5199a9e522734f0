"""A share with its interval where rows repeat each other: of served answers, many of which are to one text.

Means of other columns are `resampling`; shares without labels, `estimated_accuracy`.
"""

import numpy as np
import numpy.typing as npt

from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.significance import Stories, story_of_row


def share_estimate(holds: npt.NDArray[np.bool_], stories: Stories, *, confidence: float = 0.95) -> Estimate:
    """The share of rows (n,) that hold, each row counted; `n` of the estimate is the effective number, rounded down.

    Rows of one story are taken for one draw that weighs as much as they are many. So the effective number is Kish's ("Survey Sampling",
    1965, section 8.2), the square of the rows over the sum of the squared sizes of the stories. The interval is that of Clopper and
    Pearson ("The use of confidence or fiducial limits", 1934) on it: it covers the truth in at least so large a share of samples.

    Raises:
        PermanentError: not one story a row.
    """
    from scipy.special import betaincinv

    sizes = np.bincount(story_of_row(stories, holds.size))
    n = float(holds.size**2 / np.square(sizes).sum())
    share, tail = float(holds.mean()), (1.0 - confidence) / 2.0
    hits = share * n
    low = 0.0 if share == 0.0 else float(betaincinv(hits, n - hits + 1.0, tail))
    high = 1.0 if share == 1.0 else float(betaincinv(hits + 1.0, n - hits, 1.0 - tail))
    return Estimate(value=share, low=low, high=high, n=int(n))
