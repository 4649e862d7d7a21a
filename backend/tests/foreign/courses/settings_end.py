# What the school had before Tandem
INSTALLED_APPS += ["school"]
