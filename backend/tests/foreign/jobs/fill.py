"""Fill the board: three sectors, and members who look for work in one."""

import random

from board.models import Application, Company, Job, Member
from django.contrib.auth.models import User
from django.db import transaction

WORDS = {"web": "django css html", "data": "sql pandas charts", "ops": "linux docker network"}
rng, sectors = random.Random(5), list(WORDS)  # noqa: S311 - made-up data
with transaction.atomic():
    company, made = Company.objects.create(name="Acme"), {sector: [] for sector in sectors}
    for number in range(45):
        sector = sectors[number % 3]
        text = " ".join(rng.choices(WORDS[sector].split(), k=6))
        job = Job.objects.create(company=company, title=f"{sector} {number}", description=text, sector=sector)
        made[sector].append(job)
    Job.objects.create(company=company, title="closed", description="web", sector="web", is_open=False)
    for number in range(45):
        account = User.objects.create(username=f"m{number}", email=f"m{number}@example.org")
        member = Member.objects.create(account=account)
        jobs = rng.sample(made[sectors[number % 3]], 8)
        member.saved_jobs.add(*jobs[:4])
        for job in jobs[4:]:
            Application.objects.create(job=job, candidate=member)
        Application.objects.create(job=jobs[0], candidate=member, status="cancelled")
