# What the help desk had before Tandem
INSTALLED_APPS += ["helpdesk"]
AUTH_USER_MODEL = "helpdesk.User"
