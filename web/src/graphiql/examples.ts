interface Example {
  query: string;
  variables?: Record<string, unknown>;
}

/**
 * The tabs a person finds on the first visit, in the order in which one gets to know Cohort.
 * A tab is named after its first operation. Comments stay within 58 columns, which is what the
 * editor shows on a laptop. examples.test.ts holds all of this true, to the schema as well.
 */
export const examples: Example[] = [
  {
    // GraphiQL shows no variables in the first tab until it is visited again, so this one has none.
    query: `# Welcome to Cohort: who is on which team, and which
# bots and personas may they use because of it?
#
# Ctrl-Enter (on a Mac, Cmd-Enter) runs this. The icons
# on the left: documentation, explorer (build a query
# by clicking), history. Each tab above is an example.
#
# Every group of the organization, with its counts:

query Groups {
  organization {
    name
    # Grows by one with every change that lands.
    revision
  }
  groups(first: 20, orderBy: { field: NAME, direction: ASC }) {
    totalCount
    nodes {
      # Copy one of these for the next tab.
      id
      name
      description
      userCount
      botCount
      personaCount
      updatedAt
    }
    # Next page: groups(first: 20, after: <endCursor>).
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  },
  {
    query: `# One group and all it holds. Put an id from the
# Groups tab into the variables below.
#
# A membership is an edge: the edge tells who added
# the user, bot or persona, and when.

query Group($id: ID!) {
  group(id: $id) {
    name
    description
    users(first: 20) {
      totalCount
      edges {
        addedAt
        addedBy {
          name
        }
        node {
          id
          name
          email
          status
        }
      }
    }
    bots(first: 20) {
      totalCount
      edges {
        addedAt
        addedBy {
          name
        }
        node {
          id
          name
          features
        }
      }
    }
    personas(first: 20) {
      totalCount
      edges {
        addedAt
        addedBy {
          name
        }
        node {
          id
          name
          description
        }
      }
    }
  }
}
`,
    variables: { id: 'grp_...' },
  },
  {
    query: `# Who you are here, and what you may use.
#
# You may use a bot or persona if one of your groups
# holds it. It comes once, however many groups give it:
# "via" names them all.

query Viewer {
  viewer {
    role
    # Null for a token that is no person's.
    user {
      id
      name
      email
    }
    groups(first: 20) {
      totalCount
      nodes {
        id
        name
      }
    }
    bots(first: 20) {
      totalCount
      edges {
        node {
          id
          name
        }
        via {
          name
        }
      }
    }
    personas(first: 20) {
      totalCount
      edges {
        node {
          id
          name
        }
        via {
          name
        }
      }
    }
  }
}
`,
  },
  {
    query: `# May this user use this bot, or this persona?
# Another service asks this before it lets a person in.
#
# Put real ids into the variables below: up to 100
# questions, answered in the same order. To ask how it
# was once, add "at": "2025-01-31T12:00:00Z".

query CheckAccess($questions: [AccessQuestion!]!) {
  checkAccess(questions: $questions) {
    allowed
    reason
    # If allowed: every group that gives it.
    via {
      id
      name
    }
    # If not: the groups that the user could join.
    heldBy {
      id
      name
    }
  }
}
`,
    variables: {
      questions: [
        { bot: { userId: 'usr_...', botId: 'bot_...' } },
        { persona: { userId: 'usr_...', personaId: 'per_...' } },
      ],
    },
  },
  {
    query: `# This one writes: it makes a group, and fills it at
# once if the variables below hold ids.
#
# A mistake in the input comes back in userErrors, and
# then nothing has changed.

mutation CreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    group {
      id
      name
      userCount
      botCount
      personaCount
    }
    # A later write that hands this back as
    # expectedRevision fails if anything has changed
    # in between.
    revision
    userErrors {
      code
      message
      field
    }
  }
}
`,
    variables: {
      input: {
        name: 'Sales Team',
        description: 'Practises first calls',
        userIds: [],
        botIds: [],
        personaIds: [],
      },
    },
  },
  {
    query: `# The ledger: every change of the organization, who
# made it, and whether it can be undone.
#
# This tab has two operations; the run button asks which.

query Changes {
  changes(first: 20) {
    totalCount
    nodes {
      id
      revision
      at
      summary
      action
      actor {
        kind
        name
      }
      group {
        id
        name
      }
      undoable
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}

# Stays open and shows each change as it lands. Create
# a group in another window to see one.
subscription LiveChanges {
  changes {
    # After a break, changes(after: <last cursor>) goes
    # on from there: nothing is missed or sent twice.
    cursor
    node {
      revision
      at
      summary
    }
  }
}
`,
  },
];

export const exampleTabs = examples.map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : null,
}));
