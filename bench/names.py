"""Words that generated rows are named after."""

FIRST = (
    "Ada Alan Amara Anita Barbara Bjarne Chen Claude Dana Edsger Elena Emeka Fatima Frances Grace "
    "Guido Hana Hedy Ines Ivan Jamal Joan José Kenji Katherine Leila Linus Łukasz Mara Margaret "
    "Mina Nadia Niklaus Noor Olga Omar Priya Radia Rosa Sanjay Shafi Sofía Tariq Tim Uma Vint "
    "Wanda Xin Yara Zoë"
).split()

LAST = (
    "Abara Allen Andersen Baker Banerjee Berg Castro Chandra Cohen Costa Dahl Diaz Duarte Eriksen "
    "Farouk Fischer Forsythe García Gupta Hamilton Hansen Hopper Ivanova Jansen Johnson Kaya "
    "Keller Khan Kowalski Lamarr Larsen Lopez Lovelace Marsh Mbeki Moreau Müller Nakamura Novak "
    "Okafor Olsen Park Perlman Petrov Quist Rahman Rossi Sato Silva Smith Sørensen Tanaka "
    "Torres Turing Ueda Varga Vogel Wang Weber Xu Yilmaz Young Zhang Ziegler"
).split()

TEAMS = "Sales Support Success Onboarding Care Claims Billing Retention Field Partner".split()
PLACES = "North South East West Central Nordic Baltic Iberian Alpine Pacific Atlantic Urban".split()

BOT_ROLES = "Coach Examiner Critic Mentor Guide Tutor Referee Narrator".split()
BOT_TOPICS = (
    "Objection Discovery Closing Empathy Compliance Negotiation Product Pricing Escalation "
    "Listening"
).split()
FEATURES = "voice chat scoring hints transcripts replay timers branching".split()

MOODS = "Impatient Cheerful Sceptical Anxious Curious Loyal Angry Thrifty Silent Chatty".split()
CALLERS = "Buyer Caller Manager Parent Retiree Student Founder Nurse Tenant Traveller".split()

SEARCHES = "an mar so kat ber ngu er li jo wa son ada".split()
