"""What a client says of a job done."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from recommendation_service.errors import Conflict
from sites.cleaning.models import CleaningJob, Review
from sites.cleaning.services.posting import clean

MARKS = ("overall", "quality", "communication", "professionalism", "timeliness")


def review_job(
    *,
    job: CleaningJob,
    overall: int,
    quality: int,
    communication: int,
    professionalism: int,
    timeliness: int,
    comment: str = "",
    now: datetime | None = None,
) -> Review:
    """The client's marks, 1 to 10, once. Raises Conflict for a job that was not done or was judged, InvalidInput for marks."""
    with transaction.atomic():
        held = CleaningJob.objects.select_for_update().get(pk=job.pk)
        if held.status != CleaningJob.Status.COMPLETED or held.cleaner_id is None:
            raise Conflict(f"this job is {held.status}; reviewing needs it to be completed")
        if Review.objects.filter(job=held).exists():
            raise Conflict("this job is reviewed already")
        review = Review(
            job=held, client_id=held.client_id, cleaner_id=held.cleaner_id, overall=overall, quality=quality,
            communication=communication, professionalism=professionalism, timeliness=timeliness, comment=comment.strip(),
            time=now or timezone.now(),
        )  # fmt: skip
        clean(review)
        review.save()
    return review
