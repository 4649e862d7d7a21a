"""The Django view of acceptance list 000."""

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from recommendation_service.errors import NotFound
from recommendations.services.recommendation_engine import RecommendationEngine
from sites.cleaning.api.permissions import own_job, visitor_of
from sites.cleaning.api.serializers import CleanerMatchSerializer


@require_GET
@never_cache
def get_recommended_cleaners(request: HttpRequest, job_id: int) -> JsonResponse:
    """Return cleaners for a job as JSON, the best first. 404 if the session's user may not see the job."""
    try:
        job = own_job(visitor_of(request.user), str(job_id))
    except NotFound as error:
        raise Http404(error.message) from error
    recommendations = RecommendationEngine().recommend_cleaners_for_job(job=job)
    return JsonResponse({"recommendations": CleanerMatchSerializer(recommendations, many=True).data})
