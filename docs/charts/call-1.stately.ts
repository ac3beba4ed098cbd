// Call chart 1, for Stately Studio: paste it there, or open it in its editor. Written by `npm run charts`.
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
          "states": {
            "none": {
              "on": {
                "tool.requested": {
                  "guard": {
                    "type": "hangUpTool"
                  },
                  "target": "announced",
                  "actions": [
                    "noteHangUpCall"
                  ]
                },
                "hangUp.requested": "owed"
              },
              "after": {
                "longestCall": "overtime"
              }
            },
            "announced": {
              "on": {
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
            }
          },
          "states": {
            "awaitingStream": {
              "after": {
                "streamStart": "asking"
              }
            },
            "streaming": {
              "tags": [
                "streaming",
                "conversation"
              ],
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
                    "forgetStream"
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
                    "forgetStream"
                  ]
                },
                "stream.closed": {
                  "guard": {
                    "type": "currentStream"
                  },
                  "target": "lost",
                  "actions": [
                    "forgetStream"
                  ]
                }
              }
            },
            "lost": {
              "tags": "recovering",
              "after": {
                "reattach": "asking"
              }
            },
            "asking": {
              "tags": "recovering",
              "entry": [
                "countAsk",
                {
                  "type": "askCarrier",
                  "params": {}
                }
              ],
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
                    "target": "backingOff",
                    "actions": [
                      "loseModel"
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
              "on": {
                "model.closed": [
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
                    "target": "backingOff",
                    "actions": [
                      "loseModel"
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
            "stream.started": {
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
                  "type": "replyCut"
                },
                "target": ".listening",
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
                "target": ".listening"
              }
            ],
            "reply.started": {
              "target": ".thinking",
              "actions": [
                "noteReply",
                "closeCallerTurn"
              ]
            },
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
            }
          },
          "states": {
            "listening": {},
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
                "stream.started": {}
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
                      "type": "playedReply"
                    },
                    "target": "listening",
                    "actions": [
                      "nothingOwed"
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
                "model.closed": {
                  "guard": {
                    "type": "replyPlaysOn"
                  }
                },
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
            "owner.claimed": {
              "guard": {
                "type": "byAnother"
              },
              "actions": [
                {
                  "type": "xstate.enqueueActions"
                }
              ]
            },
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
            "idle": {},
            "running": {
              "on": {
                "tool.finished": [
                  {
                    "guard": {
                      "type": "lastToolOnFreeFloor"
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
              }
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
              "type": "closeStream"
            }
          ],
          "on": {
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
