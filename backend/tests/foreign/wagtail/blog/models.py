"""Posts with tags, and what readers did: a view of any page, and bookmarks of posts."""

from django.conf import settings
from django.db import models
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.fields import RichTextField
from wagtail.models import Page


class PostTag(TaggedItemBase):
    content_object = ParentalKey("blog.BlogPage", related_name="tagged_items", on_delete=models.CASCADE)


class BlogPage(Page):
    intro = models.CharField(max_length=250)
    body = RichTextField(blank=True)
    tags = ClusterTaggableManager(through=PostTag, blank=True)


class PageView(models.Model):
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    page = models.ForeignKey(Page, on_delete=models.CASCADE)
    viewed_at = models.DateTimeField(auto_now_add=True)


class Bookmark(models.Model):
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    post = models.ForeignKey(BlogPage, on_delete=models.CASCADE)
    added = models.DateField(auto_now_add=True)
