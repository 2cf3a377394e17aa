"""Tokens that say themselves what they are: the formats of clouds and vendors, as their documentation gives them.

Lengths are the least that is known, and open upwards: vendors lengthen their tokens. Sources beside the vendors' own
pages: GitHub's list of secret scanning partners, and the rules of gitleaks, detect-secrets and TruffleHog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs_magics.security.redact.rule import Kind, Rule, compiled

# A token does not begin inside a word, unless what stands before it is an escape: %3D or \n.
_LEFT = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f][0-9A-Fa-f])|(?<=\\[nrtu]))"
_ESCAPE = r"%[0-9A-Fa-f][0-9A-Fa-f]"
# With this in front, a beginning of many letters is looked for only where a word begins: else it would be everywhere.
_WORD_BEGINS = r"\b"
# For finding, one or more do: counting in every word would make the automaton large. The pattern counts.
_COUNT = re.compile(r"\{[0-9]{2}[0-9,]*\}")
_RIGHT = r"(?![A-Za-z0-9])"

_W = r"[A-Za-z0-9_-]"
_A = r"[A-Za-z0-9]"
_H = r"[0-9a-f]"
_B = r"[A-Za-z0-9+/]"
_SORTS = r"(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

AWS_ACCESS_KEY = Kind("aws_access_key", "AWS access key")
AWS_SECRET_KEY = Kind("aws_secret_key", "AWS secret key")
JWT = Kind("jwt", "JSON web token")
WEBHOOK = Kind("webhook", "webhook address", "webhook addresses")

# kind, for people, how it begins (this finds it), how it goes on.
_TOKENS: tuple[tuple[str, str, str, str], ...] = (
    # clouds
    ("aws_session_token", "AWS session token", r"(?:FwoGZXIvYXdz|IQoJb3JpZ2luX2Vj|FQoGZXIvYXdz)", _B + r"{20,}={0,2}"),
    ("aws_bedrock_key", "AWS Bedrock key", r"ABSK[A-Za-z0-9]{8}", _B + r"{90,}={0,2}"),
    ("aws_bedrock_key", "AWS Bedrock key", r"bedrock-api-key-", r"[A-Za-z0-9+/=_-]{16,}"),
    ("aws_mws_key", "Amazon MWS key", r"amzn\.mws\.", _UUID),
    ("amazon_client_secret", "Amazon client secret", r"amzn1\.oa2-cs\.v1\.", _H + r"{40,}"),
    ("google_api_key", "Google API key", r"AIza", _W + r"{33,}"),
    ("google_oauth_token", "Google OAuth token", r"ya29\.", r"[A-Za-z0-9_.-]{20,}"),
    ("google_oauth_token", "Google OAuth token", r"1//0", _W + r"{20,}"),
    ("google_client_secret", "Google client secret", r"GOCSPX-", _W + r"{20,}"),
    ("firebase_key", "Firebase key", r"AAAA" + _W + r"{7}:APA91b", _W + r"{60,}"),
    ("azure_client_secret", "Azure client secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~", r"[A-Za-z0-9_~.-]{31,34}"),
    ("azure_key", "Azure key", r"\b[A-Za-z0-9+/]{52}JQQJ99", _A + r"{20,30}"),
    ("azure_devops_token", "Azure DevOps token", r"\b[A-Za-z0-9]{76}AZDO", _A + r"{4}"),
    ("alibaba_key", "Alibaba Cloud key", r"LTAI[A-Za-z0-9]{4}", _A + r"{8,24}"),
    ("tencent_key", "Tencent Cloud key", r"AKID[A-Za-z0-9]{4}", _A + r"{28,36}"),
    ("yandex_token", "Yandex token", r"\by[0-3]_[A-Za-z0-9_-]{8}", _W + r"{40,}"),
    ("yandex_key", "Yandex Cloud key", r"AQVN[A-Za-z0-9_-]{4}", _W + r"{30,}"),
    ("digitalocean_token", "DigitalOcean token", r"do[opr]_v1_", _H + r"{60,}"),
    ("scaleway_key", "Scaleway key", r"SCW[A-Z0-9]{4}", r"[A-Z0-9]{13}"),
    ("flyio_token", "Fly.io token", r"(?:fo1_|fm1[ar]_|fm2_)", r"[A-Za-z0-9+/_-]{40,}={0,3}"),
    ("heroku_key", "Heroku key", r"HRKU-", _W + r"{36,}"),
    ("cloudflare_key", "Cloudflare key", r"v1\.0-[0-9a-f]{8}", _H + r"{16}-" + _H + r"{140,}"),
    ("vercel_token", "Vercel token", r"(?:vcp|vci|vca|vcr|vck)_[A-Za-z0-9]{8}", _A + r"{16,}"),
    ("netlify_token", "Netlify token", r"nf[pcoub]_[A-Za-z0-9]{8}", _A + r"{28,}"),
    ("supabase_token", "Supabase token", r"sb(?:p|_secret)_[A-Za-z0-9_]{4}", _W + r"{16,}"),
    ("planetscale_token", "PlanetScale token", r"pscale_(?:tkn|oauth|pw)_", r"[A-Za-z0-9_=.-]{30,}"),
    # code and packages
    ("github_token", "GitHub token", r"gh[pousr]_", r"[A-Za-z0-9_]{30,}"),
    ("github_token", "GitHub token", r"github_pat_", r"[A-Za-z0-9_]{36,}"),
    ("gitlab_token", "GitLab token", r"gl(?:pat|[drf]t|ptt|cbt|imt|agent|oas|soat|ffct|rtr)-", r"[A-Za-z0-9_.-]{18,}"),
    ("gitlab_token", "GitLab token", r"GR1348941", _W + r"{18,}"),
    ("bitbucket_token", "Bitbucket token", r"AT(?:BB|CTT3)[A-Za-z0-9]{4}", r"[A-Za-z0-9_=-]{20,}"),
    ("atlassian_token", "Atlassian token", r"ATATT3", r"[A-Za-z0-9_=-]{40,}"),
    ("npm_token", "npm token", r"npm_[A-Za-z0-9]{4}", _A + r"{28,}"),
    ("pypi_token", "PyPI token", r"pypi-A", _W + r"{40,}"),
    ("rubygems_token", "RubyGems token", r"rubygems_", _H + r"{40,}"),
    ("nuget_key", "NuGet key", r"oy2[a-z0-9]{8}", r"[a-z0-9]{35}"),
    ("cargo_token", "crates.io token", r"cio[A-Za-z0-9]{8}", _A + r"{24}"),
    ("clojars_token", "Clojars token", r"CLOJARS_", _H + r"{50,}"),
    ("docker_token", "Docker Hub token", r"dckr_(?:pat|oat)_", _W + r"{20,}"),
    ("artifactory_token", "Artifactory token", r"AKCp[A-Za-z0-9]{8}", _A + r"{50,}"),
    ("artifactory_token", "Artifactory token", r"cmVmdGtuO", _A + r"{40,}"),
    ("circleci_token", "CircleCI token", r"CCI(?:PAT|PRJ)_", r"[A-Za-z0-9_]{30,}"),
    ("buildkite_token", "Buildkite token", r"bk(?:ua|ct|at)_", _A + r"{30,}"),
    ("sonar_token", "SonarQube token", r"sq[upa]_[0-9a-f]{8}", _H + r"{32,}"),
    ("pulumi_token", "Pulumi token", r"pul-[0-9a-f]{8}", _H + r"{32,}"),
    ("terraform_token", "Terraform token", r"\b[A-Za-z0-9]{14}\.atlasv1\.", r"[A-Za-z0-9_=-]{40,}"),
    ("vault_token", "Vault token", r"hv[sbr]\.", _W + r"{20,}"),
    ("vault_token", "Vault token", r"\bs\.[A-Za-z0-9]{4}", r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20}" + _RIGHT),
    ("doppler_token", "Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[A-Za-z0-9_.-]{30,}"),
    ("onepassword_token", "1Password token", r"ops_eyJ", r"[A-Za-z0-9+/=]{40,}"),
    ("onepassword_key", "1Password key", r"A3-[A-Z0-9]{6}-", r"[A-Z0-9-]{20,28}"),
    ("age_key", "age key", r"AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}"),
    ("infracost_key", "Infracost key", r"ico-[A-Za-z0-9]{8}", _A + r"{24}"),
    ("prefect_key", "Prefect key", r"pn[ub]_[A-Za-z0-9]{8}", _A + r"{28}"),
    ("octopus_key", "Octopus Deploy key", r"API-[A-Z0-9]{8}", r"[A-Z0-9]{18,22}"),
    ("openshift_token", "OpenShift token", r"sha256~", _W + r"{40,}"),
    ("harness_key", "Harness key", r"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.", r"[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
    ("launchdarkly_key", "LaunchDarkly key", r"(?:sdk|api|mob)-[0-9a-f]{8}-", r"[0-9a-f-]{27}"),
    ("tailscale_key", "Tailscale key", r"tskey-", _W + r"{16,}"),
    ("sourcegraph_token", "Sourcegraph token", r"sgp_[a-z0-9]{4}", r"[A-Za-z0-9_]{36,}"),
    ("figma_token", "Figma token", r"fig[dou]_", _W + r"{36,}"),
    ("linear_key", "Linear key", r"lin_(?:api|oauth)_", _A + r"{32,}"),
    ("notion_token", "Notion token", r"ntn_[A-Za-z0-9]{8}", _A + r"{36,}"),
    ("notion_token", "Notion token", r"secret_[A-Za-z0-9]{8}", _A + r"{35}" + _RIGHT),
    ("airtable_token", "Airtable token", r"pat[A-Za-z0-9]{14}\.", _H + r"{60,}"),
    ("asana_token", "Asana token", r"[12]/[0-9]{14,20}(?:/[0-9]{14,20})?:", _H + r"{32}"),
    ("contentful_token", "Contentful token", r"CFPAT-", _W + r"{40,}"),
    ("readme_key", "ReadMe key", r"rdme_", r"[a-z0-9]{60,}"),
    ("typeform_token", "Typeform token", r"tfp_[A-Za-z0-9]{8}", r"[A-Za-z0-9_.=-]{36,}"),
    ("postman_key", "Postman key", r"PMAK-", _H + r"{20,}-" + _H + r"{30,}"),
    ("frameio_token", "Frame.io token", r"fio-u-", r"[A-Za-z0-9_=-]{60,}"),
    ("dropbox_token", "Dropbox token", r"sl\.(?:u\.)?[A-Za-z0-9_-]{8}", r"[A-Za-z0-9_=-]{110,}"),
    ("mapbox_token", "Mapbox token", r"sk\.eyJ", r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{16,}"),
    ("maxmind_key", "MaxMind key", r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", r""),
    # messages
    ("slack_token", "Slack token", r"xox(?:[abeoprs]|e\.xox[bp])-", r"[A-Za-z0-9-]{10,}"),
    ("slack_token", "Slack token", r"xapp-[0-9]-", r"[A-Za-z0-9-]{10,}"),
    ("discord_token", "Discord token", r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.", _W + r"{27,}"),
    ("twilio_key", "Twilio key", r"SK[0-9a-f]{8}", _H + r"{24}" + _RIGHT),
    ("sendgrid_key", "SendGrid key", r"SG\.[A-Za-z0-9_-]{8}", _W + r"{8,24}\." + _W + r"{32,}"),
    ("mailgun_key", "Mailgun key", r"key-[0-9a-f]{8}", r"(?<![._-]key-[0-9a-f]{8})" + _H + r"{24}" + _RIGHT),
    ("mailgun_key", "Mailgun key", r"\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}", _RIGHT),
    ("mailchimp_key", "Mailchimp key", r"\b[0-9a-f]{32}-us[0-9]", r"[0-9]?" + _RIGHT),
    ("brevo_key", "Brevo key", r"xkeysib-", r"[A-Za-z0-9-]{60,}"),
    ("brevo_key", "Brevo key", r"xsmtpsib-", r"[A-Za-z0-9-]{60,}"),
    ("resend_key", "Resend key", r"re_[A-Za-z0-9]{8}_", _A + r"{20,}"),
    # money
    ("stripe_key", "Stripe key", r"[sr]k_(?:live|test|prod)_", _A + r"{10,}"),
    ("stripe_webhook_secret", "Stripe webhook secret", r"whsec_", r"[A-Za-z0-9+/=]{20,}"),
    ("square_token", "Square token", r"(?:EAAA[A-Za-z0-9_-]{8}|sq0[a-z]{3}-)", _W + r"{20,}"),
    ("shopify_token", "Shopify token", r"shp(?:at|ca|pa|ss|tka)_", r"[0-9a-fA-F]{32,}"),
    ("paypal_token", "PayPal token", r"access_token\$(?:production|sandbox)\$", r"[a-z0-9]{10,}\$[0-9a-f]{20,}"),
    ("plaid_token", "Plaid token", r"(?:access|public|link)-(?:sandbox|development|production)-", _UUID),
    ("razorpay_key", "Razorpay key", r"rzp_(?:live|test)_", _A + r"{14,}"),
    ("flutterwave_key", "Flutterwave key", r"FLWSECK(?:_TEST)?-", r"[A-Za-z0-9-]{12,}"),
    ("adyen_key", "Adyen key", r"AQE[a-z][A-Za-z0-9+/]{8}", r"[A-Za-z0-9+/=-]{60,}"),
    ("coinbase_key", "Coinbase key", r"organizations/" + _UUID + r"/apiKeys/", _UUID),
    ("easypost_key", "EasyPost key", r"EZ[AT]K[A-Za-z0-9]{8}", _A + r"{44,}"),
    ("shippo_token", "Shippo token", r"shippo_(?:live|test)_", _H + r"{40}"),
    ("duffel_token", "Duffel token", r"duffel_(?:live|test)_", r"[A-Za-z0-9_=-]{40,}"),
    ("lob_key", "Lob key", r"(?:live|test)_[0-9a-f]{8}", _H + r"{27}" + _RIGHT),
    ("gocardless_token", "GoCardless token", r"live_[A-Za-z0-9]{8}", r"[A-Za-z0-9_=-]{32}"),
    # monitoring
    ("grafana_token", "Grafana token", r"glsa_", _A + r"{28,}_[0-9a-fA-F]{8}"),
    ("grafana_token", "Grafana token", r"glc_", r"[A-Za-z0-9+/]{30,}={0,3}"),
    ("grafana_token", "Grafana token", r"eyJrIjoi", r"[A-Za-z0-9+/]{40,}={0,3}"),
    ("newrelic_key", "New Relic key", r"NR(?:AK|II|JS|IQ|RA|AA|AL)-", _W + r"{18,}"),
    ("newrelic_key", "New Relic key", r"\b[0-9a-f]{36}(?:FFFF)?NRAL", r""),
    ("datadog_key", "Datadog key", r"dd(?:pub|app|api|rum)_[A-Za-z0-9]{8}", _A + r"{20,}"),
    ("dynatrace_token", "Dynatrace token", r"dt0[a-z][0-9]{2}\.", r"[A-Z0-9]{8,24}\.[A-Z0-9]{60,}"),
    ("honeycomb_key", "Honeycomb key", r"hc[abcx](?:ik|mk|lk)_", _A + r"{20,}"),
    ("sentry_token", "Sentry token", r"sntry[su]_", r"[A-Za-z0-9_+/=]{40,}"),
    ("posthog_key", "PostHog key", r"ph[xs]_[A-Za-z0-9]{8}", _A + r"{24,}"),
    ("axiom_token", "Axiom token", r"xa(?:pt|at)-", _UUID),
    ("elastic_key", "Elastic key", r"essu_[A-Za-z0-9+/]{8}", _B + r"{40,}={0,2}"),
    ("okta_token", "Okta token", r"SSWS[ \t]+", _W + r"{30,}"),
    # models
    ("anthropic_key", "Anthropic key", r"sk-ant-", _W + r"{20,}"),
    ("openrouter_key", "OpenRouter key", r"sk-or-v1-", _H + r"{40,}"),
    ("langsmith_key", "LangSmith key", r"lsv2_(?:pt|sk)_", r"[0-9a-f_]{36,}"),
    ("langfuse_key", "Langfuse key", r"sk-lf-", _UUID),
    ("helicone_key", "Helicone key", r"sk-helicone-", r"[a-z0-9-]{28,}"),
    ("openai_key", "OpenAI key", r"sk-(?:proj|svcacct|admin|None)-", _W + r"{20,}"),
    ("openai_key", "OpenAI key", r"sk-[A-Za-z0-9]{8}", _A + r"{12,}"),
    ("huggingface_token", "Hugging Face token", r"(?:hf_|api_org_)[A-Za-z0-9]{8}", _A + r"{22,}"),
    ("replicate_token", "Replicate token", r"r8_[A-Za-z0-9]{8}", _A + r"{24,}"),
    ("groq_key", "Groq key", r"gsk_[A-Za-z0-9]{8}", _A + r"{36,}"),
    ("perplexity_key", "Perplexity key", r"pplx-[A-Za-z0-9]{8}", _A + r"{24,}"),
    ("xai_key", "xAI key", r"xai-[A-Za-z0-9]{8}", _A + r"{60,}"),
    ("pinecone_key", "Pinecone key", r"pcsk_", r"[A-Za-z0-9_]{40,}"),
    ("nvidia_key", "NVIDIA key", r"nvapi-", _W + r"{40,}"),
    ("wandb_key", "Weights & Biases key", r"wandb_v[0-9]_", _W + r"{40,}"),
    ("cerebras_key", "Cerebras key", r"\bcsk-[a-z0-9]{8}", r"[a-z0-9]{36,}"),
    ("fireworks_key", "Fireworks key", r"\bfw_[A-Za-z0-9]{8}", _SORTS + _A + r"{14,16}" + _RIGHT),
    ("tavily_key", "Tavily key", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{8}", _A + r"{20,}"),
    ("jina_key", "Jina key", r"\bjina_[A-Za-z0-9]{8}", _A + r"{40,}"),
    ("voyage_key", "Voyage key", r"\bpa-[A-Za-z0-9_-]{8}", _SORTS + _W + r"{35}" + _RIGHT),
    ("e2b_key", "E2B key", r"\be2b_[0-9a-f]{8}", _H + r"{32}"),
    # the rest
    ("apify_token", "Apify token", r"apify_api_", _A + r"{30,}"),
    ("confluent_key", "Confluent key", r"\bcflt[A-Za-z0-9+/]{8}", _SORTS + _B + r"{52}" + _RIGHT),
    ("dbt_token", "dbt token", r"\bdbt[cu]_[A-Za-z0-9]{8}", r"[A-Za-z0-9_=-]{30,}"),
    ("infisical_token", "Infisical token", r"\bst\.[0-9a-f]{8}", _H + r"{16}(?:\." + _H + r"{32}){2}"),
    ("neon_key", "Neon key", r"\bnapi_[a-z0-9]{8}", r"[a-z0-9]{52,}"),
    ("render_key", "Render key", r"\brnd_[A-Za-z0-9]{8}", _A + r"{20}" + _RIGHT),
    ("snyk_token", "Snyk token", r"snyk_[us]at\.", r"[0-9a-f]{8}\.[A-Za-z0-9_.-]{30,}"),
    ("vk_token", "VK token", r"vk1\.a\.", _W + r"{60,}"),
    ("databricks_token", "Databricks token", r"dapi[0-9a-f]{8}", _H + r"{24}(?:-[0-9])?"),
    ("databricks_token", "Databricks token", r"dose[0-9a-f]{8}", _H + r"{24}"),
    ("hubspot_token", "HubSpot token", r"pat-(?:na|eu|ap)[0-9]-", _UUID),
    ("facebook_token", "Facebook token", r"EAA[A-Z][A-Za-z0-9]{8}", _A + r"{80,}"),
    ("facebook_token", "Facebook token", r"\b[0-9]{15,16}\|[A-Za-z0-9_-]{8}", _W + r"{19,32}"),
    ("twitter_token", "Twitter token", r"A{20}[A-Za-z0-9]{2}", r"(?:[A-Za-z0-9]|%2[BF]|%3D){60,}"),
    ("instagram_token", "Instagram token", r"IG(?:QV|AA)[A-Za-z0-9]{8}", r"[A-Za-z0-9_-]{60,}"),
    ("twitch_token", "Twitch token", r"oauth:[a-z0-9]{8}", r"[a-z0-9]{22}" + _RIGHT),
    ("salesforce_token", "Salesforce token", r"00D[A-Za-z0-9]{12,15}!", r"[A-Za-z0-9._]{60,}"),
    ("adobe_secret", "Adobe secret", r"p8e-[A-Za-z0-9_-]{8}", _W + r"{24}"),
    ("intra42_secret", "42 intra secret", r"s-s4t2(?:ud|af)-", _H + r"{60,}"),
    ("clickhouse_key", "ClickHouse Cloud key", r"4b1d[A-Za-z0-9]{8}", r"(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{30}" + _RIGHT),
)  # fmt: skip

_AWS_PAIR = r"A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9\xfe\xff]{1,8}(?:[A-Za-z][A-Za-z_-]{1,24}[^A-Za-z0-9+/\xfe\xff]{1,4}){0,3}"
_AWS_WORDS = r"(?i:aws|secret)[ _.-]?(?:(?i:secret|access)[ _.-]?){0,2}(?i:key)[ \t]{1,4}(?i:is[ \t]{1,4})?[\"'`(]?"
_AWS_FORTY = r"(?P<hide>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])"

# These begin so distinctly that they are what they are, even in the middle of a word.
_GLUED = ("github_", "gitlab_", "slack_", "stripe_key", "pypi_", "npm_")


def _tokens() -> Iterator[Rule]:
    kinds: dict[str, Kind] = {}
    for name, title, begin, rest in _TOKENS:
        kind = kinds.setdefault(name, Kind(name, title))
        word = begin.removeprefix(_WORD_BEGINS)
        left = "" if name.startswith(_GLUED) else _LEFT
        if word == begin:
            yield Rule(kind, "tokens", begin, compiled(f"{left}(?P<hide>{begin}{rest})"))
        else:
            loose = _COUNT.sub("+", word)
            yield Rule(
                kind, "words", rf"(?:\b|{_ESCAPE}){loose}", compiled(f"(?:{_ESCAPE})?{left}(?P<hide>{word}{rest})")
            )


TOKEN_RULES: tuple[Rule, ...] = (
    Rule(
        AWS_ACCESS_KEY,
        "tokens",
        r"A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])[A-Z0-9]{4}",
        compiled(_LEFT + r"(?P<hide>A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])[A-Z0-9]{16,17})" + _RIGHT),
    ),
    # A secret that stands right behind its access key, or behind words that say what it is.
    Rule(AWS_SECRET_KEY, "pairs", _AWS_PAIR, compiled(_AWS_PAIR + _AWS_FORTY)),
    Rule(AWS_SECRET_KEY, "pairs", _AWS_WORDS, compiled(_AWS_WORDS + _AWS_FORTY)),
    Rule(JWT, "tokens", r"eyJ[A-Za-z0-9_+/=-]{8,}\.", compiled(r"(?P<hide>eyJ[\w+/=-]{8,}(?:\.[\w+/=-]*){1,4})")),
    Rule(
        WEBHOOK,
        "tokens",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/",
        compiled(r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<hide>[\w/+-]{20,})"),
    ),
    Rule(
        WEBHOOK,
        "tokens",
        r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/",
        compiled(r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/(?P<hide>[0-9]{15,22}/[\w-]{40,})"),
    ),
    Rule(
        WEBHOOK,
        "tokens",
        r"(?:webhook\.office\.com/webhookb2|outlook\.office\.com/webhook)/",
        compiled(r"(?:webhook\.office\.com/webhookb2|outlook\.office\.com/webhook)/(?P<hide>[\w@/-]{36,})"),
    ),
    Rule(
        Kind("telegram_token", "Telegram token"),
        "words",
        rf"(?:\b|{_ESCAPE})(?:bot)?[0-9]+:AA",
        compiled(rf"(?:{_ESCAPE}(?=[0-9]{{8}}))?(?:bot)?(?P<hide>[0-9]{{8,10}}:AA{_W}{{32,}})"),
    ),
    Rule(WEBHOOK, "tokens", r"hooks\.zapier\.com/", compiled(r"hooks\.zapier\.com/(?P<hide>hooks/catch/[\w/]{8,})")),
    *_tokens(),
)
"""Every token with a form of its own; specific beginnings before general ones."""
