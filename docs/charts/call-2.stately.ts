// Call chart 2, for Stately Studio: paste it there, or open it in its editor. Written by `npm run charts`.
import { createMachine } from 'xstate';

export const machine = createMachine({
  "id": "call",
  "initial": "ringing",
  "states": {
    "ringing": {
      "on": {
        "owner.claimed": {
          "actions": [
            "noteClaim"
          ]
        },
        "call.answered": "live",
        "carrier.reported": {
          "guard": {
            "type": "carrierEnded"
          },
          "target": "#call.ending.concluding",
          "actions": [
            "noteCarrierEnd"
          ]
        },
        "hangUp.requested": {
          "target": "ending",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "operator.hungUp"
              }
            }
          ]
        }
      },
      "after": {
        "streamStart": {
          "target": "ending",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "call.notAnswered"
              }
            }
          ]
        }
      }
    },
    "live": {
      "type": "parallel",
      "on": {
        "carrier.reported": {
          "guard": {
            "type": "carrierEnded"
          },
          "target": "#call.ending.concluding",
          "actions": [
            "noteCarrierEnd"
          ]
        },
        "call.declined": {
          "target": "#call.ending.concluding",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "declined"
              }
            }
          ]
        },
        "journal.lost": {
          "target": "ending",
          "actions": [
            {
              "type": "apologiseBecause",
              "params": {
                "reason": "journal.lost"
              }
            }
          ]
        }
      },
      "states": {
        "farewell": {
          "initial": "none",
          "on": {
            "transfer.requested": {
              "guard": {
                "type": "otherTransferByAgent"
              },
              "actions": [
                {
                  "type": "answerTransfer"
                }
              ]
            }
          },
          "states": {
            "none": {
              "on": {
                "tool.requested": [
                  {
                    "guard": {
                      "type": "hangUpTool and callerTurnOpen"
                    },
                    "actions": [
                      {
                        "type": "answerHangUp"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "hangUpTool"
                    },
                    "target": "announced",
                    "actions": [
                      "noteHangUpCall"
                    ]
                  }
                ],
                "hangUp.requested": "owed",
                "transfer.requested": [
                  {
                    "guard": {
                      "type": "byAgentNow and agentStillSpeaks"
                    },
                    "target": "handingOver",
                    "actions": [
                      "noteTransfer"
                    ]
                  },
                  {
                    "target": "#call.transferring",
                    "actions": [
                      "noteTransfer"
                    ]
                  }
                ]
              },
              "after": {
                "longestCall": "overtime"
              }
            },
            "handingOver": {
              "on": {
                "reply.voiced": {
                  "target": "handingOver",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "handingOver",
                  "reenter": true
                },
                "reply.finished": {
                  "guard": {
                    "type": "currentReply and not currentVoicedReply"
                  },
                  "target": "#call.transferring"
                },
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.transferring"
                },
                "caller.startedSpeaking": {
                  "target": "#call.transferring"
                },
                "owner.claimed": {
                  "guard": {
                    "type": "byAnother"
                  },
                  "target": "#call.transferring",
                  "actions": [
                    "forgetProcess",
                    {
                      "type": "xstate.enqueueActions"
                    }
                  ]
                },
                "hangUp.requested": "owed"
              },
              "after": {
                "farewell": {
                  "target": "#call.transferring"
                }
              }
            },
            "announced": {
              "on": {
                "reply.voiced": {
                  "target": "announced",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "announced",
                  "reenter": true
                },
                "reply.finished": [
                  {
                    "guard": {
                      "type": "currentVoicedReply"
                    },
                    "target": "speaking"
                  },
                  {
                    "guard": {
                      "type": "currentReply"
                    },
                    "target": "requested"
                  }
                ],
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                },
                "caller.startedSpeaking": {
                  "target": "none",
                  "actions": [
                    {
                      "type": "answerHangUp"
                    },
                    "forgetHangUpCall"
                  ]
                },
                "owner.claimed": {
                  "guard": {
                    "type": "byAnother"
                  },
                  "target": "requested",
                  "reenter": true
                },
                "hangUp.requested": "owed"
              },
              "after": {
                "farewell": {
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                }
              }
            },
            "requested": {
              "entry": [
                "oweFarewell",
                {
                  "type": "answerHangUp"
                },
                {
                  "type": "createReply",
                  "params": {
                    "purpose": "farewell"
                  }
                }
              ],
              "on": {
                "reply.voiced": {
                  "target": "speaking",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "speaking",
                  "reenter": true
                },
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                },
                "caller.startedSpeaking": {
                  "target": "none",
                  "actions": [
                    {
                      "type": "answerHangUp"
                    },
                    "forgetHangUpCall"
                  ]
                },
                "owner.claimed": {
                  "guard": {
                    "type": "byAnother"
                  },
                  "target": "requested",
                  "reenter": true
                },
                "hangUp.requested": "owed"
              },
              "after": {
                "farewell": {
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                }
              }
            },
            "speaking": {
              "on": {
                "reply.voiced": {
                  "target": "speaking",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "speaking",
                  "reenter": true
                },
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                },
                "caller.startedSpeaking": {
                  "target": "none",
                  "actions": [
                    {
                      "type": "answerHangUp"
                    },
                    "forgetHangUpCall"
                  ]
                },
                "owner.claimed": {
                  "guard": {
                    "type": "byAnother"
                  },
                  "target": "requested",
                  "reenter": true
                },
                "hangUp.requested": "owed"
              },
              "after": {
                "farewell": {
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "agent.hungUp"
                      }
                    }
                  ]
                }
              }
            },
            "owed": {
              "entry": [
                {
                  "type": "interruptReply",
                  "params": {}
                },
                "oweFarewell",
                {
                  "type": "createReply",
                  "params": {
                    "purpose": "farewell"
                  }
                }
              ],
              "on": {
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "operator.hungUp"
                      }
                    }
                  ]
                }
              },
              "after": {
                "farewell": {
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "operator.hungUp"
                      }
                    }
                  ]
                }
              }
            },
            "overtime": {
              "entry": [
                {
                  "type": "interruptReply",
                  "params": {}
                },
                "oweFarewell",
                {
                  "type": "createReply",
                  "params": {
                    "purpose": "farewell"
                  }
                }
              ],
              "on": {
                "reply.played": {
                  "guard": {
                    "type": "playedReply"
                  },
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "call.tooLong"
                      }
                    }
                  ]
                }
              },
              "after": {
                "farewell": {
                  "target": "#call.ending",
                  "actions": [
                    {
                      "type": "endBecause",
                      "params": {
                        "reason": "call.tooLong"
                      }
                    }
                  ]
                }
              }
            }
          }
        },
        "carrier": {
          "initial": "awaitingStream",
          "on": {
            "owner.claimed": [
              {
                "guard": {
                  "type": "adoptedOnTheMove"
                },
                "target": ".asking",
                "actions": [
                  "forgetProcess"
                ]
              },
              {
                "guard": {
                  "type": "byAnother"
                },
                "target": ".lost",
                "actions": [
                  "forgetProcess"
                ]
              },
              {
                "actions": [
                  "noteClaim"
                ]
              }
            ],
            "stream.started": {
              "guard": {
                "type": "newerStream"
              },
              "target": ".streaming",
              "actions": [
                "noteStream",
                {
                  "type": "joinStream"
                }
              ]
            },
            "stream.requested": {
              "actions": [
                "countStreamTry"
              ]
            },
            "stream.misdirected": {
              "actions": [
                "forgetStreamTry"
              ]
            }
          },
          "states": {
            "awaitingStream": {
              "on": {
                "stream.failed": {
                  "target": "lost",
                  "actions": [
                    "failStream"
                  ]
                },
                "stream.misdirected": {
                  "target": "lost",
                  "actions": [
                    "failStream",
                    "forgetStreamTry"
                  ]
                }
              },
              "after": {
                "streamStart": "asking"
              }
            },
            "streaming": {
              "tags": [
                "streaming",
                "conversation"
              ],
              "initial": "steady",
              "on": {
                "stream.stopped": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "lost",
                  "actions": [
                    {
                      "type": "closeStream"
                    },
                    "loseStream"
                  ]
                },
                "stream.failed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "lost",
                  "actions": [
                    {
                      "type": "closeStream"
                    },
                    "loseStream"
                  ]
                },
                "stream.closed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "lost",
                  "actions": [
                    "loseStream"
                  ]
                }
              },
              "always": {
                "guard": {
                  "type": "in media.restarting"
                },
                "target": "lost",
                "actions": [
                  "loseStream"
                ]
              },
              "after": {
                "streamSettled": {
                  "actions": [
                    "settleStream"
                  ]
                }
              },
              "states": {
                "steady": {
                  "on": {
                    "move.requested": {
                      "target": "leaving",
                      "actions": [
                        "noteMove"
                      ]
                    }
                  }
                },
                "leaving": {
                  "always": {
                    "guard": {
                      "type": "in turn.listening, tools.idle and owesNothing"
                    },
                    "target": "confirming"
                  },
                  "on": {
                    "move.requested": {
                      "target": "leaving",
                      "reenter": true,
                      "actions": [
                        "noteMove"
                      ]
                    }
                  },
                  "after": {
                    "moveDeadline": "confirming"
                  }
                },
                "confirming": {
                  "entry": [
                    {
                      "type": "confirmMove"
                    }
                  ],
                  "on": {
                    "move.requested": {
                      "actions": [
                        "noteMove"
                      ]
                    },
                    "move.confirmed": [
                      {
                        "guard": {
                          "type": "currentStream and ((in turn.listening, tools.idle and owesNothing) or moveOverdue)"
                        },
                        "target": "#call.live.carrier.moving"
                      },
                      {
                        "guard": {
                          "type": "currentStream"
                        },
                        "target": "leaving"
                      }
                    ]
                  }
                }
              }
            },
            "moving": {
              "tags": "recovering",
              "entry": [
                {
                  "type": "interruptReply",
                  "params": {}
                },
                "cutStream",
                {
                  "type": "closeStream"
                },
                "loseStream",
                "settleStream"
              ],
              "on": {
                "stream.requested": {
                  "target": "lost",
                  "reenter": true,
                  "actions": [
                    "countStreamTry"
                  ]
                }
              },
              "after": {
                "reattach": "asking"
              }
            },
            "lost": {
              "tags": "recovering",
              "on": {
                "stream.requested": {
                  "target": "lost",
                  "reenter": true,
                  "actions": [
                    "countStreamTry"
                  ]
                }
              },
              "after": {
                "reattach": "asking"
              }
            },
            "asking": {
              "tags": "recovering",
              "entry": [
                "countAsk",
                "oweRepeat",
                {
                  "type": "askCarrier",
                  "params": {}
                }
              ],
              "on": {
                "stream.requested": {
                  "target": "lost",
                  "reenter": true,
                  "actions": [
                    "countStreamTry"
                  ]
                },
                "carrier.reported": [
                  {
                    "guard": {
                      "type": "inProgressWithTriesLeft"
                    },
                    "target": "rescuing",
                    "actions": [
                      "forgetAsks"
                    ]
                  },
                  {
                    "guard": {
                      "type": "inProgress"
                    },
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "stream.lost"
                        }
                      }
                    ]
                  }
                ]
              },
              "after": {
                "askCarrier": [
                  {
                    "guard": {
                      "type": "asksLeft"
                    },
                    "target": "asking",
                    "reenter": true
                  },
                  {
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "endBecause",
                        "params": {
                          "reason": "stream.lost"
                        }
                      }
                    ]
                  }
                ]
              }
            },
            "rescuing": {
              "tags": "recovering",
              "entry": [
                {
                  "type": "redirectCall",
                  "params": {}
                }
              ],
              "on": {
                "stream.requested": {
                  "target": "lost",
                  "reenter": true,
                  "actions": [
                    "countStreamTry"
                  ]
                },
                "redirect.finished": {
                  "guard": {
                    "type": "toldToConnect"
                  },
                  "target": "rescued"
                }
              },
              "after": {
                "redirect": {
                  "target": "asking",
                  "actions": [
                    "countStreamTry"
                  ]
                }
              }
            },
            "rescued": {
              "tags": "recovering",
              "on": {
                "stream.requested": {
                  "target": "lost",
                  "reenter": true,
                  "actions": [
                    "countStreamTry"
                  ]
                }
              },
              "after": {
                "reattach": {
                  "target": "asking",
                  "actions": [
                    "countStreamTry"
                  ]
                }
              }
            }
          }
        },
        "model": {
          "initial": "connecting",
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": ".connecting"
            }
          },
          "states": {
            "connecting": {
              "entry": [
                "nextGeneration",
                {
                  "type": "openModel"
                }
              ],
              "on": {
                "model.opened": {
                  "guard": {
                    "type": "currentModel"
                  },
                  "target": "ready",
                  "actions": [
                    "noteModel",
                    {
                      "type": "joinModel"
                    }
                  ]
                },
                "model.closed": [
                  {
                    "guard": {
                      "type": "finalRefusal and fallsBackToTransfer"
                    },
                    "target": "#call.transferring",
                    "actions": [
                      {
                        "type": "fallBackBecause",
                        "params": {
                          "reason": "model.refused"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "finalRefusal"
                    },
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "model.refused"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "retryableLoss"
                    },
                    "target": "#call.live.model.backingOff",
                    "actions": [
                      {
                        "type": "xstate.enqueueActions"
                      },
                      "loseModel"
                    ]
                  },
                  {
                    "guard": {
                      "type": "currentModel and fallsBackToTransfer"
                    },
                    "target": "#call.transferring",
                    "actions": [
                      {
                        "type": "fallBackBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "currentModel"
                    },
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  }
                ]
              },
              "after": {
                "modelConnect": [
                  {
                    "guard": {
                      "type": "modelTriesLeft"
                    },
                    "target": "backingOff",
                    "actions": [
                      {
                        "type": "closeModel"
                      },
                      "loseModel"
                    ]
                  },
                  {
                    "guard": {
                      "type": "fallsBackToTransfer"
                    },
                    "target": "#call.transferring",
                    "actions": [
                      {
                        "type": "fallBackBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  },
                  {
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  }
                ]
              }
            },
            "ready": {
              "tags": "conversation",
              "initial": "steady",
              "on": {
                "model.closed": [
                  {
                    "guard": {
                      "type": "finalRefusal and fallsBackToTransfer"
                    },
                    "target": "#call.transferring",
                    "actions": [
                      {
                        "type": "fallBackBecause",
                        "params": {
                          "reason": "model.refused"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "finalRefusal"
                    },
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "model.refused"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "retryableLoss"
                    },
                    "target": "#call.live.model.backingOff",
                    "actions": [
                      {
                        "type": "xstate.enqueueActions"
                      },
                      "loseModel"
                    ]
                  },
                  {
                    "guard": {
                      "type": "currentModel and fallsBackToTransfer"
                    },
                    "target": "#call.transferring",
                    "actions": [
                      {
                        "type": "fallBackBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "currentModel"
                    },
                    "target": "#call.ending",
                    "actions": [
                      {
                        "type": "apologiseBecause",
                        "params": {
                          "reason": "model.unavailable"
                        }
                      }
                    ]
                  }
                ]
              },
              "states": {
                "steady": {
                  "after": {
                    "rollOver": "rollingOver"
                  }
                },
                "rollingOver": {
                  "entry": [
                    "addGeneration",
                    {
                      "type": "openModel"
                    }
                  ],
                  "on": {
                    "model.opened": {
                      "guard": {
                        "type": "nextModel"
                      },
                      "target": "standingBy",
                      "actions": [
                        "noteNextModel"
                      ]
                    },
                    "model.closed": {
                      "guard": {
                        "type": "nextModel"
                      },
                      "target": "pausing"
                    }
                  },
                  "after": {
                    "modelConnect": {
                      "target": "pausing",
                      "actions": [
                        {
                          "type": "xstate.enqueueActions"
                        }
                      ]
                    }
                  }
                },
                "standingBy": {
                  "always": {
                    "guard": {
                      "type": "((in turn.listening, tools.idle and owesNothing) or (in turn.agentSpeaking, tools.idle and owesNothingAfterReply)) and in farewell.none"
                    },
                    "target": "steady",
                    "actions": [
                      {
                        "type": "joinModel"
                      },
                      {
                        "type": "closeModel"
                      },
                      "takeNextModel"
                    ]
                  },
                  "on": {
                    "model.closed": [
                      {
                        "guard": {
                          "type": "nextModel"
                        },
                        "target": "pausing",
                        "actions": [
                          "forgetNextModel"
                        ]
                      },
                      {
                        "guard": {
                          "type": "replaceableLoss"
                        },
                        "target": "steady",
                        "actions": [
                          "loseModel",
                          "takeNextModel",
                          {
                            "type": "joinModel"
                          }
                        ]
                      }
                    ]
                  },
                  "after": {
                    "lastTakeOver": "overdue"
                  }
                },
                "overdue": {
                  "always": [
                    {
                      "guard": {
                        "type": "((in turn.listening, tools.idle and owesNothing) or (in turn.agentSpeaking, tools.idle and owesNothingAfterReply)) and in farewell.none"
                      },
                      "target": "steady",
                      "actions": [
                        {
                          "type": "joinModel"
                        },
                        {
                          "type": "closeModel"
                        },
                        "takeNextModel"
                      ]
                    },
                    {
                      "guard": {
                        "type": "not halfSaid"
                      },
                      "target": "parting"
                    }
                  ],
                  "on": {
                    "model.closed": [
                      {
                        "guard": {
                          "type": "nextModel"
                        },
                        "target": "pausing",
                        "actions": [
                          "forgetNextModel"
                        ]
                      },
                      {
                        "guard": {
                          "type": "replaceableLoss"
                        },
                        "target": "steady",
                        "actions": [
                          "loseModel",
                          "takeNextModel",
                          {
                            "type": "joinModel"
                          }
                        ]
                      }
                    ]
                  }
                },
                "parting": {
                  "entry": [
                    {
                      "type": "closeModel"
                    }
                  ],
                  "on": {
                    "model.closed": [
                      {
                        "guard": {
                          "type": "nextModel"
                        },
                        "target": "pausing",
                        "actions": [
                          "forgetNextModel"
                        ]
                      },
                      {
                        "guard": {
                          "type": "replaceableLoss"
                        },
                        "target": "steady",
                        "actions": [
                          "loseModel",
                          "takeNextModel",
                          {
                            "type": "joinModel"
                          }
                        ]
                      }
                    ]
                  }
                },
                "pausing": {
                  "after": {
                    "rollOverPause": "rollingOver"
                  }
                }
              }
            },
            "backingOff": {
              "tags": "recovering",
              "after": {
                "modelBackoff": "connecting"
              }
            }
          }
        },
        "media": {
          "initial": "flowing",
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": ".flowing"
            },
            "stream.started": {
              "guard": {
                "type": "newerStream"
              },
              "target": ".flowing"
            }
          },
          "states": {
            "flowing": {
              "on": {
                "media.starved": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "starved"
                }
              }
            },
            "starved": {
              "tags": "recovering",
              "on": {
                "media.resumed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "flowing"
                }
              },
              "after": {
                "starved": "restarting"
              }
            },
            "restarting": {
              "tags": "recovering",
              "entry": [
                "cutStream",
                {
                  "type": "closeStream"
                }
              ]
            }
          }
        },
        "turn": {
          "initial": "listening",
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": ".listening"
            },
            "caller.startedSpeaking": {
              "target": ".callerSpeaking",
              "actions": [
                {
                  "type": "interruptReply",
                  "params": {}
                },
                "noteCallerSpeaking"
              ]
            },
            "stream.started": [
              {
                "guard": {
                  "type": "toolAnswerFollows"
                },
                "target": ".thinking"
              },
              {
                "guard": {
                  "type": "canNowSpeak"
                },
                "target": ".thinking",
                "actions": [
                  {
                    "type": "createReply"
                  }
                ]
              }
            ],
            "model.opened": {
              "guard": {
                "type": "canNowSpeak"
              },
              "target": ".thinking",
              "actions": [
                {
                  "type": "createReply"
                }
              ]
            },
            "model.closed": [
              {
                "guard": {
                  "type": "replyCut and ((in ready.standingBy or in ready.overdue or in ready.parting) and canSpeakAfterLoss)"
                },
                "target": ".thinking",
                "actions": [
                  {
                    "type": "interruptReply",
                    "params": {}
                  },
                  {
                    "type": "createReply"
                  }
                ]
              },
              {
                "guard": {
                  "type": "(in ready.standingBy or in ready.overdue or in ready.parting) and canSpeakAfterLoss"
                },
                "target": ".thinking",
                "actions": [
                  {
                    "type": "createReply"
                  }
                ]
              },
              {
                "guard": {
                  "type": "replyCut"
                },
                "target": "#call.live.turn.listening",
                "actions": [
                  {
                    "type": "interruptReply",
                    "params": {}
                  }
                ]
              },
              {
                "guard": {
                  "type": "currentModel"
                },
                "target": "#call.live.turn.listening"
              }
            ],
            "reply.started": [
              {
                "guard": {
                  "type": "fillerTooLate"
                },
                "target": ".thinking",
                "actions": [
                  "noteReply",
                  {
                    "type": "interruptReply",
                    "params": {}
                  }
                ]
              },
              {
                "target": ".thinking",
                "actions": [
                  "noteReply",
                  "closeCallerTurn"
                ]
              }
            ],
            "reply.voiced": {
              "guard": {
                "type": "currentReply"
              },
              "target": ".agentSpeaking",
              "actions": [
                "noteVoice"
              ]
            },
            "caller.transcribed": {
              "guard": {
                "type": "openTurnTranscribed"
              },
              "actions": [
                "oweAnswer"
              ]
            },
            "reply.finished": [
              {
                "guard": {
                  "type": "toolAnswerDue"
                },
                "target": ".thinking",
                "actions": [
                  "noteReplyFinished"
                ]
              },
              {
                "actions": [
                  "noteReplyFinished"
                ]
              }
            ],
            "tool.finished": {
              "guard": {
                "type": "lastToolOnFreeFloor"
              },
              "target": ".thinking"
            },
            "announcement.requested": {
              "actions": [
                "awaitAnnouncement"
              ]
            }
          },
          "states": {
            "listening": {
              "always": {
                "guard": {
                  "type": "announcementMayCome and in farewell.none"
                },
                "target": "thinking",
                "actions": [
                  "oweAnnouncement",
                  {
                    "type": "createReply"
                  }
                ]
              },
              "on": {
                "reply.finished": [
                  {
                    "guard": {
                      "type": "toolAnswerDue"
                    },
                    "target": "thinking",
                    "actions": [
                      "noteReplyFinished"
                    ]
                  },
                  {
                    "guard": {
                      "type": "brokenReply and canSpeak and replyTriesLeft"
                    },
                    "target": "#call.live.turn.thinking",
                    "actions": [
                      "noteReplyFinished",
                      "countReplyTry",
                      "oweContinuation",
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "brokenReply and canSpeak"
                    },
                    "target": "#call.live.turn.listening",
                    "actions": [
                      "noteReplyFinished",
                      "oweContinuation",
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "actions": [
                      "noteReplyFinished"
                    ]
                  }
                ]
              }
            },
            "callerSpeaking": {
              "on": {
                "caller.stoppedSpeaking": {
                  "target": "thinking",
                  "actions": [
                    "freshReplyTries"
                  ]
                },
                "reply.started": {
                  "actions": [
                    "noteReply",
                    {
                      "type": "interruptReply",
                      "params": {}
                    }
                  ]
                },
                "reply.voiced": {},
                "caller.transcribed": {},
                "stream.started": {},
                "model.closed": [
                  {
                    "guard": {
                      "type": "replyCut"
                    },
                    "target": "#call.live.turn.listening",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "currentModel"
                    },
                    "target": "#call.live.turn.listening"
                  }
                ]
              },
              "after": {
                "longestTurn": {
                  "guard": {
                    "type": "hasModel"
                  },
                  "target": "listening",
                  "actions": [
                    {
                      "type": "closeModel"
                    }
                  ]
                }
              }
            },
            "thinking": {
              "on": {
                "stream.started": [
                  {
                    "guard": {
                      "type": "toolAnswerNowPossible"
                    },
                    "target": "thinking",
                    "reenter": true,
                    "actions": [
                      {
                        "type": "createReply",
                        "params": {
                          "purpose": "answer"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "newerStream"
                    },
                    "target": "thinking",
                    "reenter": true
                  }
                ],
                "reply.extended": {
                  "guard": {
                    "type": "currentReply and not callerTurnOpen"
                  },
                  "target": "thinking",
                  "reenter": true
                },
                "reply.finished": [
                  {
                    "guard": {
                      "type": "toolAnswerDue"
                    },
                    "target": "thinking",
                    "reenter": true,
                    "actions": [
                      "noteReplyFinished"
                    ]
                  },
                  {
                    "guard": {
                      "type": "toolsOpen"
                    },
                    "actions": [
                      "noteReplyFinished"
                    ]
                  },
                  {
                    "guard": {
                      "type": "cancelledReply and callerTurnOpen"
                    },
                    "actions": [
                      "noteReplyFinished"
                    ]
                  },
                  {
                    "guard": {
                      "type": "cancelledUnheard and in farewell.none"
                    },
                    "target": "thinking",
                    "reenter": true,
                    "actions": [
                      "noteReplyFinished",
                      "countReplyTry",
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "cancelledReply"
                    },
                    "target": "listening",
                    "actions": [
                      "noteReplyFinished"
                    ]
                  },
                  {
                    "guard": {
                      "type": "emptyReplyWithTriesLeft"
                    },
                    "target": "thinking",
                    "reenter": true,
                    "actions": [
                      "noteReplyFinished",
                      "countReplyTry",
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "emptyReply"
                    },
                    "target": "listening",
                    "actions": [
                      "noteReplyFinished",
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "actions": [
                      "noteReplyFinished"
                    ]
                  }
                ]
              },
              "after": {
                "replyStart": [
                  {
                    "guard": {
                      "type": "replyMustWait"
                    },
                    "target": "thinking",
                    "reenter": true
                  },
                  {
                    "guard": {
                      "type": "replyActive"
                    },
                    "target": "listening",
                    "actions": [
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "canAskAgain"
                    },
                    "target": "thinking",
                    "reenter": true,
                    "actions": [
                      "countReplyTry",
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "canSpeak"
                    },
                    "target": "listening",
                    "actions": [
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "target": "listening"
                  }
                ]
              }
            },
            "agentSpeaking": {
              "on": {
                "reply.started": {
                  "actions": [
                    "noteReply",
                    "closeCallerTurn"
                  ]
                },
                "reply.voiced": {
                  "guard": {
                    "type": "currentReply"
                  },
                  "actions": [
                    "noteVoice"
                  ]
                },
                "reply.progressed": {
                  "target": "agentSpeaking",
                  "reenter": true
                },
                "reply.extended": {
                  "guard": {
                    "type": "currentReply and not callerTurnOpen"
                  },
                  "target": "agentSpeaking",
                  "reenter": true
                },
                "reply.finished": {
                  "actions": [
                    "noteReplyFinished"
                  ]
                },
                "reply.played": [
                  {
                    "guard": {
                      "type": "playedBeforeToolAnswer"
                    },
                    "target": "thinking",
                    "actions": [
                      "oweAnswer"
                    ]
                  },
                  {
                    "guard": {
                      "type": "playedBrokenReply and replyTriesLeft"
                    },
                    "target": "#call.live.turn.thinking",
                    "actions": [
                      "noteReplyFinished",
                      "countReplyTry",
                      "oweContinuation",
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "playedBrokenReply"
                    },
                    "target": "#call.live.turn.listening",
                    "actions": [
                      "noteReplyFinished",
                      "oweContinuation",
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "playedReply"
                    },
                    "target": "listening",
                    "actions": [
                      "nothingOwed",
                      "freshReplyTries"
                    ]
                  },
                  {
                    "guard": {
                      "type": "earlierReply"
                    },
                    "target": "thinking"
                  }
                ],
                "tool.finished": {},
                "model.closed": [
                  {
                    "guard": {
                      "type": "replyPlaysOn and (in ready.standingBy or in ready.overdue or in ready.parting) and toolAnswerAfterLoss"
                    },
                    "actions": [
                      {
                        "type": "createReply",
                        "params": {
                          "purpose": "answer"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "replyPlaysOn"
                    }
                  }
                ],
                "model.opened": [
                  {
                    "guard": {
                      "type": "toolAnswerNowPossible"
                    },
                    "actions": [
                      {
                        "type": "createReply",
                        "params": {
                          "purpose": "answer"
                        }
                      }
                    ]
                  },
                  {}
                ],
                "stream.stopped": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "listening",
                  "actions": [
                    {
                      "type": "interruptReply",
                      "params": {}
                    }
                  ]
                },
                "stream.failed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "listening",
                  "actions": [
                    {
                      "type": "interruptReply",
                      "params": {}
                    }
                  ]
                },
                "stream.closed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "listening",
                  "actions": [
                    {
                      "type": "interruptReply",
                      "params": {}
                    }
                  ]
                },
                "stream.started": [
                  {
                    "guard": {
                      "type": "toolAnswerFollows"
                    },
                    "target": "thinking",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "canNowSpeak"
                    },
                    "target": "thinking",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      },
                      {
                        "type": "createReply"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "newerStream"
                    },
                    "target": "listening",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      }
                    ]
                  }
                ]
              },
              "after": {
                "playbackStall": [
                  {
                    "guard": {
                      "type": "not hasStream"
                    },
                    "target": "listening",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "voicedReplyActive"
                    },
                    "target": "listening",
                    "actions": [
                      {
                        "type": "closeModel"
                      }
                    ]
                  },
                  {
                    "target": "listening",
                    "actions": [
                      "nothingOwed"
                    ]
                  }
                ]
              }
            }
          }
        },
        "tools": {
          "initial": "idle",
          "on": {
            "tool.requested": {
              "guard": {
                "type": "newTool"
              },
              "target": ".running",
              "actions": [
                "noteTool",
                {
                  "type": "runTool"
                }
              ]
            },
            "reply.finished": {
              "guard": {
                "type": "toolAnswerDue"
              },
              "actions": [
                {
                  "type": "createReply",
                  "params": {
                    "purpose": "answer"
                  }
                }
              ]
            }
          },
          "states": {
            "idle": {
              "always": {
                "guard": {
                  "type": "toolsOpen"
                },
                "target": "running"
              }
            },
            "running": {
              "on": {
                "owner.claimed": {
                  "guard": {
                    "type": "byAnother"
                  },
                  "target": "running",
                  "reenter": true,
                  "actions": [
                    {
                      "type": "xstate.enqueueActions"
                    }
                  ]
                },
                "tool.finished": [
                  {
                    "guard": {
                      "type": "lastToolOnFreeFloor and not fillerAwaited"
                    },
                    "target": "idle",
                    "actions": [
                      "settleTool",
                      {
                        "type": "sendToolResult"
                      },
                      {
                        "type": "createReply",
                        "params": {
                          "purpose": "answer"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "lastTool and fillerUnheard"
                    },
                    "target": "idle",
                    "actions": [
                      {
                        "type": "interruptReply",
                        "params": {}
                      },
                      "settleTool",
                      {
                        "type": "sendToolResult"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "lastTool"
                    },
                    "target": "idle",
                    "actions": [
                      "settleTool",
                      {
                        "type": "sendToolResult"
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "openTool"
                    },
                    "actions": [
                      "settleTool",
                      {
                        "type": "sendToolResult"
                      }
                    ]
                  }
                ]
              },
              "after": {
                "toolFiller": [
                  {
                    "guard": {
                      "type": "fillerDue and (in turn.listening or in turn.thinking)"
                    },
                    "actions": [
                      "noteFiller",
                      {
                        "type": "createReply",
                        "params": {
                          "purpose": "filler"
                        }
                      }
                    ]
                  },
                  {
                    "guard": {
                      "type": "fillerMayCome"
                    },
                    "target": "running",
                    "reenter": true
                  }
                ]
              }
            }
          }
        },
        "silence": {
          "initial": "filled",
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": ".filled"
            }
          },
          "states": {
            "filled": {
              "always": {
                "guard": {
                  "type": "hasStream and (in turn.thinking or in turn.agentSpeaking or ((not hasModel or toolsOpen) and not in turn.callerSpeaking))"
                },
                "target": "waiting"
              },
              "on": {
                "caller.stoppedSpeaking": "waiting"
              }
            },
            "waiting": {
              "always": {
                "guard": {
                  "type": "not (hasStream and (in turn.thinking or in turn.agentSpeaking or ((not hasModel or toolsOpen) and not in turn.callerSpeaking)))"
                },
                "target": "filled"
              },
              "on": {
                "reply.voiced": {
                  "target": "waiting",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "waiting",
                  "reenter": true
                },
                "reply.played": [
                  {
                    "guard": {
                      "type": "unheardReply"
                    }
                  },
                  {
                    "target": "filled"
                  }
                ],
                "caller.startedSpeaking": "filled"
              },
              "after": {
                "holdingAfter": "holding"
              }
            },
            "holding": {
              "entry": [
                {
                  "type": "playHoldingSound",
                  "params": {}
                }
              ],
              "always": {
                "guard": {
                  "type": "not (hasStream and (in turn.thinking or in turn.agentSpeaking or ((not hasModel or toolsOpen) and not in turn.callerSpeaking)))"
                },
                "target": "filled"
              },
              "on": {
                "reply.voiced": {
                  "target": "waiting",
                  "reenter": true
                },
                "reply.progressed": {
                  "target": "waiting",
                  "reenter": true
                },
                "reply.played": [
                  {
                    "guard": {
                      "type": "unheardReply"
                    }
                  },
                  {
                    "target": "filled"
                  }
                ],
                "caller.startedSpeaking": "filled"
              },
              "after": {
                "holdingEvery": {
                  "target": "holding",
                  "reenter": true
                }
              }
            }
          }
        }
      }
    },
    "transferring": {
      "initial": "redirecting",
      "entry": [
        {
          "type": "interruptReply",
          "params": {}
        },
        {
          "type": "closeModel"
        },
        {
          "type": "xstate.enqueueActions"
        },
        "forgetReply"
      ],
      "exit": [
        "leaveConversation"
      ],
      "on": {
        "stream.stopped": {
          "guard": {
            "type": "currentStream"
          },
          "actions": [
            "loseStream"
          ]
        },
        "stream.failed": {
          "guard": {
            "type": "currentStream"
          },
          "actions": [
            "loseStream"
          ]
        },
        "stream.closed": {
          "guard": {
            "type": "currentStream"
          },
          "actions": [
            "loseStream"
          ]
        },
        "tool.finished": {
          "guard": {
            "type": "openTool"
          },
          "actions": [
            "settleTool"
          ]
        },
        "owner.claimed": [
          {
            "guard": {
              "type": "byAnother"
            },
            "actions": [
              "forgetProcess",
              {
                "type": "xstate.enqueueActions"
              }
            ]
          },
          {
            "actions": [
              "noteClaim"
            ]
          }
        ],
        "transfer.requested": {
          "guard": {
            "type": "otherTransferByAgent"
          },
          "actions": [
            {
              "type": "answerTransfer"
            }
          ]
        },
        "stream.started": {
          "guard": {
            "type": "newerStream"
          },
          "actions": [
            "noteStream",
            {
              "type": "closeStream"
            }
          ]
        },
        "hangUp.requested": {
          "target": "ending",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "operator.hungUp"
              }
            }
          ]
        },
        "journal.lost": {
          "target": "#call.ending.concluding",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "journal.lost"
              }
            }
          ]
        },
        "transfer.finished": [
          {
            "guard": {
              "type": "transferCompleted"
            },
            "target": "ending",
            "actions": [
              {
                "type": "endBecause",
                "params": {
                  "reason": "call.transferred"
                }
              }
            ]
          },
          {
            "guard": {
              "type": "transferIsFallback"
            },
            "target": "ending",
            "actions": [
              "apologise"
            ]
          },
          {
            "guard": {
              "type": "transferByAgent"
            },
            "target": "live",
            "actions": [
              "returnToConversation",
              {
                "type": "answerTransfer"
              },
              "forgetTransfer"
            ]
          },
          {
            "target": "live",
            "actions": [
              "returnToConversation",
              "forgetTransfer"
            ]
          }
        ],
        "carrier.reported": {
          "guard": {
            "type": "carrierEnded"
          },
          "target": "#call.ending.concluding",
          "actions": [
            "noteCarrierEnd"
          ]
        }
      },
      "after": {
        "transferLimit": {
          "target": "ending",
          "actions": [
            {
              "type": "endBecause",
              "params": {
                "reason": "transfer.unknown"
              }
            }
          ]
        }
      },
      "states": {
        "redirecting": {
          "entry": [
            {
              "type": "redirectCall",
              "params": {}
            }
          ],
          "on": {
            "redirect.finished": [
              {
                "guard": {
                  "type": "toldToDial"
                },
                "target": "dialing"
              },
              {
                "guard": {
                  "type": "notToldToDial"
                },
                "target": "telling",
                "actions": [
                  {
                    "type": "closeStream"
                  }
                ]
              }
            ],
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": "telling",
              "actions": [
                "forgetProcess",
                {
                  "type": "xstate.enqueueActions"
                }
              ]
            },
            "stream.started": {
              "guard": {
                "type": "newerStream"
              },
              "actions": [
                "noteStream"
              ]
            }
          },
          "after": {
            "redirect": {
              "target": "telling",
              "actions": [
                {
                  "type": "closeStream"
                }
              ]
            }
          }
        },
        "telling": {
          "after": {
            "transferCheck": {
              "target": "telling",
              "reenter": true,
              "actions": [
                {
                  "type": "askCarrier",
                  "params": {}
                }
              ]
            }
          }
        },
        "dialing": {
          "entry": [
            "giveUpStream"
          ],
          "after": {
            "transferCheck": {
              "target": "dialing",
              "reenter": true,
              "actions": [
                {
                  "type": "askCarrier",
                  "params": {}
                }
              ]
            }
          }
        }
      }
    },
    "ending": {
      "tags": "ending",
      "initial": "deciding",
      "entry": [
        {
          "type": "closeModel"
        },
        {
          "type": "xstate.enqueueActions"
        }
      ],
      "on": {
        "carrier.reported": {
          "guard": {
            "type": "carrierEnded"
          },
          "target": ".concluding",
          "actions": [
            "noteCarrierEnd"
          ]
        },
        "stream.started": {
          "actions": [
            "noteStream",
            {
              "type": "closeStream"
            }
          ]
        }
      },
      "states": {
        "deciding": {
          "always": [
            {
              "guard": {
                "type": "apologyDue"
              },
              "target": "apologising"
            },
            {
              "target": "hangingUp"
            }
          ]
        },
        "apologising": {
          "entry": [
            {
              "type": "redirectCall",
              "params": {}
            }
          ],
          "on": {
            "redirect.finished": {
              "guard": {
                "type": "notToldToApologise"
              },
              "actions": [
                {
                  "type": "closeStream"
                }
              ]
            },
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": "hangingUp",
              "actions": [
                "forgetProcess"
              ]
            }
          },
          "after": {
            "ending": "hangingUp"
          }
        },
        "hangingUp": {
          "entry": [
            {
              "type": "hangUp",
              "params": {}
            }
          ],
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": "hangingUp",
              "reenter": true,
              "actions": [
                "forgetProcess"
              ]
            },
            "hangUp.finished": [
              {
                "guard": {
                  "type": "hangUpFailed"
                },
                "actions": [
                  {
                    "type": "closeStream"
                  }
                ]
              },
              {
                "target": "concluding"
              }
            ]
          },
          "after": {
            "ending": {
              "target": "concluding",
              "actions": [
                {
                  "type": "closeStream"
                }
              ]
            }
          }
        },
        "concluding": {
          "entry": [
            {
              "type": "concludeCall"
            }
          ],
          "on": {
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "target": "concluding",
              "reenter": true,
              "actions": [
                "forgetProcess"
              ]
            },
            "call.ended": "#call.ended"
          }
        }
      }
    },
    "ended": {
      "type": "final"
    }
  }
});
