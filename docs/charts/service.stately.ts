// Service chart, for Stately Studio: paste it there, or open it in its editor. Written by `npm run charts`.
import { createMachine } from 'xstate';

export const machine = createMachine({
  "id": "service",
  "initial": "starting",
  "on": {
    "phase.passed": {
      "actions": [
        "notePhase"
      ]
    },
    "phase.failed": {
      "actions": [
        "notePhase"
      ]
    },
    "stop.requested": {
      "target": ".stopping",
      "actions": [
        "noteReason"
      ]
    }
  },
  "states": {
    "starting": {
      "initial": "configuration",
      "on": {
        "drain.requested": {
          "target": "stopping",
          "actions": [
            "noteReason"
          ]
        }
      },
      "states": {
        "configuration": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "configuration"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofConfiguration"
              },
              "target": "journal",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofConfiguration"
              },
              "target": "#service.failed",
              "actions": [
                "notePhase",
                "noteFailure"
              ]
            }
          }
        },
        "journal": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "journal"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofJournal"
              },
              "target": "model",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofJournal"
              },
              "target": "#service.failed",
              "actions": [
                "notePhase",
                "noteFailure"
              ]
            }
          }
        },
        "model": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "model"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofModel"
              },
              "target": "http",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofModel"
              },
              "target": "http",
              "actions": [
                "notePhase"
              ]
            }
          },
          "after": {
            "modelPatience": "http"
          }
        },
        "http": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "http"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofHttp"
              },
              "target": "publicAddress",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofHttp"
              },
              "target": "#service.failed",
              "actions": [
                "notePhase",
                "noteFailure"
              ]
            }
          }
        },
        "publicAddress": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "publicAddress"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofPublicAddress"
              },
              "target": "webhooks",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofPublicAddress"
              },
              "target": "webhooks",
              "actions": [
                "notePhase"
              ]
            }
          }
        },
        "webhooks": {
          "entry": [
            {
              "type": "runPhase",
              "params": {
                "phase": "webhooks"
              }
            }
          ],
          "on": {
            "phase.passed": {
              "guard": {
                "type": "ofWebhooks"
              },
              "target": "#service.running",
              "actions": [
                "notePhase"
              ]
            },
            "phase.failed": {
              "guard": {
                "type": "ofWebhooks"
              },
              "target": "#service.running",
              "actions": [
                "notePhase"
              ]
            }
          }
        }
      }
    },
    "running": {
      "tags": "ready",
      "on": {
        "drain.requested": {
          "target": "draining",
          "actions": [
            "noteDrain"
          ]
        }
      },
      "after": {
        "retryPhases": {
          "target": "running",
          "reenter": true,
          "actions": [
            {
              "type": "xstate.enqueueActions"
            }
          ]
        }
      }
    },
    "draining": {
      "initial": "moving",
      "on": {
        "calls.gone": "stopping",
        "drain.requested": {
          "target": "stopping",
          "actions": [
            "noteReason"
          ]
        }
      },
      "after": {
        "drain": "parting"
      },
      "states": {
        "moving": {
          "entry": [
            {
              "type": "drainCalls"
            }
          ],
          "after": {
            "drainAgain": {
              "target": "moving",
              "reenter": true
            }
          }
        }
      }
    },
    "parting": {
      "initial": "lettingGo",
      "on": {
        "calls.gone": "stopping",
        "drain.requested": {
          "target": "stopping",
          "actions": [
            "noteReason"
          ]
        }
      },
      "after": {
        "parting": "stopping"
      },
      "states": {
        "lettingGo": {
          "entry": [
            {
              "type": "partFromCalls",
              "params": {}
            }
          ],
          "after": {
            "drainAgain": {
              "target": "lettingGo",
              "reenter": true
            }
          }
        }
      }
    },
    "stopping": {
      "entry": [
        {
          "type": "stopService",
          "params": {}
        }
      ],
      "on": {
        "service.stopped": "stopped",
        "stop.requested": {}
      },
      "after": {
        "stop": "stopped"
      }
    },
    "failed": {
      "entry": [
        {
          "type": "stopService",
          "params": {}
        }
      ],
      "on": {
        "service.stopped": "aborted",
        "stop.requested": {}
      },
      "after": {
        "stop": "aborted"
      }
    },
    "stopped": {
      "type": "final"
    },
    "aborted": {
      "type": "final"
    }
  }
});
