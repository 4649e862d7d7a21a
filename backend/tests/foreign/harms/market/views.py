"""Pages of the site: each reads and writes the site's own tables after the list was made."""

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from market.models import Like, Offer
from tandem.services.recommend import arecommend
from tandem.slates import aslate


def home(request):
    answer = render(request, "market/home.html")
    return HttpResponse(f"{answer.content.decode()} offers={Offer.objects.count()}")  # in the same transaction


def offer(request, pk):
    return render(request, "market/offer.html", {"offer": get_object_or_404(Offer, pk=pk)})


def like(request, pk):
    user, _ = User.objects.get_or_create(username=request.GET["user"])
    row = Like.objects.create(offer_id=pk, user=user)
    row.save()
    return HttpResponse(f"likes={Like.objects.count()}", status=201)


def broken(request, pk):
    like(request, pk)
    raise ValueError("the site's own bug")


async def later(request):
    made = await aslate("for-you", user="1", limit=4)
    answer = await arecommend(use_case="offers", surface="for-you", user_id="1", limit=4)
    return HttpResponse(f"slate={len(made)} answer={len(answer['recommendations'])}")
