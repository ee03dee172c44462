"""The demo organization: a wholesaler that trains its people with bots. All of it is made up.

Addresses are at example.com, which is nobody's (RFC 2606).
"""

from models.tables import Role

ORGANIZATION = "Larkspur Supplies"

# Department: the names of its people, and the local parts of their addresses.
PEOPLE = {
    "Sales": (
        ("Amara Okafor", "amara.okafor"),
        ("Mateo Fernández", "mateo.fernandez"),
        ("Priya Raghunathan", "priya.raghunathan"),
        ("Jonas Lindqvist", "jonas.lindqvist"),
        ("Chloe Tremblay", "chloe.tremblay"),
        ("Kwame Asante", "kwame.asante"),
        ("Hana Sato", "hana.sato"),
        ("Luca Moretti", "luca.moretti"),
        ("Zainab Yusuf", "zainab.yusuf"),
        ("Thomas O'Neill", "thomas.oneill"),
        ("Ingrid Solberg", "ingrid.solberg"),
        ("Rafael Duarte", "rafael.duarte"),
        ("Mei-Ling Chen", "mei-ling.chen"),
        ("Daniel Kowalczyk", "daniel.kowalczyk"),
    ),
    "Customer Success": (
        ("Sofia Papadopoulou", "sofia.papadopoulou"),
        ("Arjun Mehta", "arjun.mehta"),
        ("Freya Andersen", "freya.andersen"),
        ("Malik Johnson", "malik.johnson"),
        ("Yuki Tanaka", "yuki.tanaka"),
        ("Beatriz Almeida", "beatriz.almeida"),
        ("Omar Haddad", "omar.haddad"),
        ("Nadia Petrova", "nadia.petrova"),
        ("Liam Gallagher-Reid", "liam.gallagher-reid"),
        ("Thandiwe Ndlovu", "thandiwe.ndlovu"),
    ),
    "Support": (
        ("Elif Yılmaz", "elif.yilmaz"),
        ("Carlos Mendoza", "carlos.mendoza"),
        ("Grace Wanjiru", "grace.wanjiru"),
        ("Viktor Novák", "viktor.novak"),
        ("Aisha Rahman", "aisha.rahman"),
        ("Pierre Lefèvre", "pierre.lefevre"),
        ("Minh Nguyễn", "minh.nguyen"),
        ("Olivia Brandt", "olivia.brandt"),
        ("Samuel Osei", "samuel.osei"),
        ("Katarzyna Wójcik", "katarzyna.wojcik"),
        ("Diego Quispe", "diego.quispe"),
        ("Leilani Kahale", "leilani.kahale"),
    ),
    "Engineering": (
        ("Anneke de Vries", "anneke.devries"),
        ("Siddharth Iyer", "siddharth.iyer"),
        ("Marta Sørensen", "marta.sorensen"),
        ("Tariq Aziz-Khan", "tariq.aziz-khan"),
        ("Emily Whitfield", "emily.whitfield"),
        ("Bogdan Ionescu", "bogdan.ionescu"),
        ("Soo-jin Park", "soo-jin.park"),
        ("Nils Bergström", "nils.bergstrom"),
    ),
    "People": (
        ("Fatima El-Sayed", "fatima.el-sayed"),
        ("Rosa Jiménez", "rosa.jimenez"),
        ("Benedikt Hofmann", "benedikt.hofmann"),
        ("Abena Mensah", "abena.mensah"),
        ("Joanna Fitzgerald", "joanna.fitzgerald"),
        ("Ravi Subramaniam", "ravi.subramaniam"),
    ),
    "Finance": (
        ("Margarethe Vogel", "margarethe.vogel"),
        ("Chidi Eze", "chidi.eze"),
        ("Isabella Conti", "isabella.conti"),
        ("Håkon Dahl", "hakon.dahl"),
        ("Lakshmi Pillai", "lakshmi.pillai"),
    ),
    "Leadership": (
        ("Eleanor Castellanos", "eleanor.castellanos"),
        ("David Abramson", "david.abramson"),
        ("Wen Zhao", "wen.zhao"),
        ("Simone Dubois", "simone.dubois"),
        ("Patrick Mwangi", "patrick.mwangi"),
    ),
}
ROLES = {
    "fatima.el-sayed": Role.ADMIN,
    "ravi.subramaniam": Role.ADMIN,
    "chidi.eze": Role.AUDITOR,
    "simone.dubois": Role.AUDITOR,
    "david.abramson": Role.AUDITOR,
}
DEACTIVATED = "daniel.kowalczyk"

# Name, what it trains, its badges.
BOTS = (
    ("Cold Call Coach", "Opens a call with a stranger.", ("Voice", "Objection handling")),
    ("Discovery Partner", "Finds out what a customer needs.", ("Voice", "Open questions")),
    ("Negotiation Sparring", "Holds out for a discount.", ("Voice", "Pricing", "Hard mode")),
    ("Objection Gym", "One objection after another.", ("Objection handling", "Drills")),
    ("Demo Rehearsal", "Watches a product demo.", ("Video", "Product knowledge")),
    ("Closing Coach", "Asks for the order.", ("Voice", "Pricing")),
    ("Renewal Advisor", "Keeps a customer who hesitates.", ("Voice", "Retention")),
    ("Onboarding Guide", "Walks a new customer through.", ("Chat", "Product knowledge")),
    ("Escalation Simulator", "A complaint that grows.", ("Voice", "De-escalation", "Hard mode")),
    ("Ticket Triage Trainer", "Sorts what comes in.", ("Chat", "Drills")),
    ("Empathy Mirror", "Plays a talk back.", ("Voice", "Empathy", "Feedback report")),
    ("Angry Caller Line", "Calls at the worst moment.", ("Voice", "De-escalation")),
    ("Refund Policy Quiz", "Asks about the small print.", ("Chat", "Quiz")),
    ("Feedback Talk Studio", "Tells somebody what to do better.", ("Video", "Feedback report")),
    ("Interview Practice", "Asks, and is asked.", ("Voice", "Open questions")),
    ("First Week Buddy", "Answers what nobody dares to ask.", ("Chat", "Onboarding")),
    ("Pitch Theatre", "An audience of five.", ("Video", "Presentation")),
    ("Incident Commander", "Leads through an outage.", ("Chat", "Hard mode", "Drills")),
    ("Budget Review Board", "Wants to see the numbers.", ("Voice", "Pricing", "Presentation")),
    ("Compliance Refresher", "What one may promise.", ("Quiz", "Certificate")),
)

# Name, and how it behaves.
PERSONAS = (
    ("Skeptical CFO", "Asks what it costs in year three, and who else has bought it."),
    ("Angry customer", "Was promised a call back twice. Nobody called."),
    ("Curious newcomer", "Likes everything, understands half, says so."),
    ("Silent procurement lead", "Answers in one word and lets you talk."),
    ("Busy shop owner", "Has four minutes, between two deliveries."),
    ("Loyal customer", "Has been here for nine years and wants to be asked."),
    ("Price hunter", "Has a cheaper offer open on the screen."),
    ("Technical gatekeeper", "Wants the documentation before the call."),
    ("Worried team lead", "Fears that the team will not use it."),
    ("Interrupter", "Knows the end of your sentence better."),
    ("Grieving client", "Calls to close the account of a relative."),
    ("Defensive colleague", "Hears every remark as blame."),
    ("Promising candidate", "Has another offer, and until Friday."),
    ("Impatient executive", "Reads mail while you present."),
    ("Confused pensioner", "Has lost the letter, but not the patience."),
)

# Group, what it is for, whole departments in it, single people, bots, personas.
GROUPS = (
    (
        "Sales",
        "Everyone who sells.",
        ("Sales",),
        (),
        ("Cold Call Coach", "Discovery Partner", "Closing Coach", "Demo Rehearsal"),
        ("Skeptical CFO", "Busy shop owner", "Price hunter", "Silent procurement lead"),
    ),
    (
        "Customer Success",
        "Those who keep customers.",
        ("Customer Success",),
        (),
        ("Renewal Advisor", "Onboarding Guide", "Discovery Partner"),
        ("Loyal customer", "Worried team lead", "Curious newcomer"),
    ),
    (
        "Support",
        "Phone, chat and mail.",
        ("Support",),
        (),
        ("Escalation Simulator", "Ticket Triage Trainer", "Refund Policy Quiz"),
        ("Angry customer", "Confused pensioner", "Grieving client"),
    ),
    (
        "Engineering",
        "Those who build it, and answer for it at night.",
        ("Engineering",),
        (),
        ("Incident Commander", "Demo Rehearsal"),
        ("Technical gatekeeper", "Angry customer"),
    ),
    (
        "People & Finance",
        "The departments behind the others.",
        ("People", "Finance"),
        (),
        ("Interview Practice", "Budget Review Board", "Compliance Refresher"),
        ("Promising candidate", "Defensive colleague", "Skeptical CFO"),
    ),
    (
        "Leadership",
        None,
        ("Leadership",),
        (),
        ("Budget Review Board", "Pitch Theatre"),
        ("Impatient executive", "Skeptical CFO"),
    ),
    (
        "Team Leads",
        "Everyone who leads a team, of any department.",
        (),
        ("amara.okafor", "sofia.papadopoulou", "elif.yilmaz", "anneke.devries", "fatima.el-sayed",
         "margarethe.vogel", "carlos.mendoza", "arjun.mehta"),
        ("Feedback Talk Studio", "Interview Practice", "Empathy Mirror"),
        ("Defensive colleague", "Promising candidate", "Interrupter"),
    ),
    (
        "Account Executives",
        "Those in Sales who close.",
        (),
        ("amara.okafor", "jonas.lindqvist", "hana.sato", "luca.moretti", "ingrid.solberg",
         "rafael.duarte"),
        ("Negotiation Sparring", "Closing Coach"),
        ("Skeptical CFO", "Silent procurement lead", "Impatient executive"),
    ),
    (
        "New Hires",
        "The first ninety days.",
        (),
        ("mei-ling.chen", "thandiwe.ndlovu", "leilani.kahale", "diego.quispe", "nils.bergstrom",
         "abena.mensah", "lakshmi.pillai"),
        ("First Week Buddy", "Compliance Refresher"),
        ("Curious newcomer",),
    ),
    (
        "Objection Handling",
        "A skill: staying in the talk after a no.",
        (),
        ("mateo.fernandez", "kwame.asante", "zainab.yusuf", "malik.johnson", "omar.haddad",
         "priya.raghunathan"),
        ("Objection Gym", "Negotiation Sparring"),
        ("Price hunter", "Interrupter", "Technical gatekeeper"),
    ),
    (
        "Difficult Conversations",
        "A skill: saying what nobody wants to hear.",
        (),
        ("grace.wanjiru", "samuel.osei", "freya.andersen", "joanna.fitzgerald", "elif.yilmaz",
         "rosa.jimenez", "nadia.petrova"),
        ("Empathy Mirror", "Angry Caller Line", "Feedback Talk Studio"),
        ("Angry customer", "Grieving client", "Defensive colleague"),
    ),
    (
        "Presenting",
        "A skill: standing in front of people.",
        (),
        ("emily.whitfield", "wen.zhao", "chloe.tremblay", "yuki.tanaka", "isabella.conti"),
        ("Pitch Theatre", "Demo Rehearsal"),
        ("Impatient executive", "Interrupter"),
    ),
)  # fmt: skip

# What happened later: people who came to a group or left it.
JOINED = (("Presenting", "siddharth.iyer"), ("Team Leads", "wen.zhao"))
LEFT = (("Objection Handling", "priya.raghunathan"), ("New Hires", "abena.mensah"))
RENAMED = ("Sales Closers", "Account Executives")  # the name that the group had at first
SHORT_LIVED = ("Summer Campaign", ("kwame.asante", "zainab.yusuf"), ("Cold Call Coach",))
