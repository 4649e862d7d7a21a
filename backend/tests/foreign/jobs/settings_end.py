# What the site had before Tandem
INSTALLED_APPS += ["board"]
