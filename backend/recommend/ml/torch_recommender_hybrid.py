"""Trains the blog's hybrid recommender: `python manage.py shell < recommend/ml/torch_recommender_hybrid.py`, run in backend/.

The same as `python manage.py train_torch_recs`. Imported, it only hands on `train_and_save_hybrid` and
`recommend_for_user_hybrid`; the model is `HybridRecommenderModel` of recommendation_service/training/models/margin_mf.py.
"""

from sites.posts.training import recommend_for_user_hybrid, train_and_save_hybrid

__all__ = ["recommend_for_user_hybrid", "train_and_save_hybrid"]

if __name__ != "recommend.ml.torch_recommender_hybrid":  # the shell runs it under a name of its own
    train_and_save_hybrid()
