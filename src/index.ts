/** Owns: what an agent's file imports from `holdfast`. */
export {
  type Agent,
  type AgentCall,
  type AgentDefinition,
  type AgentForCall,
  type CallSummary,
  defineAgent,
  defineTool,
  type Found,
  type ToolContext,
  type ToolDefinition,
  type TranscriptionDefinition,
  type TransferDefinition,
  type TurnDetectionDefinition,
} from './agent/definition.ts';
