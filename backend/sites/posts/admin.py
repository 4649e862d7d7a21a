"""The blog in Django's admin."""

from django.contrib import admin

from sites.admin import PersonAdmin
from sites.posts.models import Comment, Discussion, Member, Note, Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Posts by type and category, with their counters."""

    list_display = ("title", "type", "category", "author", "published_at", "view_count", "like_count", "is_published")
    list_filter = ("type", "category", "is_published")
    list_select_related = ("author",)
    search_fields = ("title", "excerpt")
    raw_id_fields = ("author",)
    readonly_fields = ("view_count", "like_count", "comment_count", "bookmark_count")


@admin.register(Member)
class MemberAdmin(PersonAdmin):
    """Members with the theme of their pages."""

    list_display = ("name", "describe", "accent_color", "font_size", "account", "is_demo")
    list_filter = ("is_creator", "is_demo")


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Comments on posts."""

    list_display = ("post", "member", "created_at")
    list_select_related = ("post", "member")
    raw_id_fields = ("post", "member", "parent")


class NoteInline(admin.TabularInline):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Remarks in a discussion."""

    model = Note
    extra = 0
    fields = ("written_by", "body", "created_at")
    readonly_fields = ("written_by", "created_at")


@admin.register(Discussion)
class DiscussionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Discussions of insights."""

    list_display = ("sentence", "creator", "insight", "day")
    list_filter = ("insight",)
    list_select_related = ("creator",)
    raw_id_fields = ("creator",)
    inlines = (NoteInline,)
