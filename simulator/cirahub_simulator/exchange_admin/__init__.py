"""The service behind the cmdlets of Exchange Online: what its PowerShell module posts to.

Microsoft documents the cmdlets, and not this way to call them. What is said of it here comes from
callers whose source is public, above all CIPP (github.com/KelvinTegelaar/CIPP-API, New-ExoRequest
and New-ExoBulkRequest) and michev.info; what they leave open is a switch or says that it is an
assumption.
"""
