"""Models of the zoo as scikit-learn estimators, for pipelines and searches.

from zoo.sklearn import Encoder
make_pipeline(StandardScaler(), Encoder("vae", latents=10), LogisticRegression()).fit(x, y)
"""

from zoo.sklearn.anomaly_detector import AnomalyDetector
from zoo.sklearn.clusterer import Clusterer
from zoo.sklearn.encoder import Encoder

__all__ = ["AnomalyDetector", "Clusterer", "Encoder"]
