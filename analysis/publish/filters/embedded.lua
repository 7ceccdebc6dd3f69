-- The part of the document dialect that Quarto would do itself: values, conditional blocks, numbering, cross-references,
-- figure panels and callouts. The embedded renderer runs it before citeproc and before shared.lua.

local MARK = pandoc.json.decode(os.getenv("BELLWETHER_VALUES") or "{}")
local OPEN, CLOSE = utf8.char(0xE000), utf8.char(0xE001)
local TYPST = FORMAT:match("typst") ~= nil
local NAMES = { fig = "Figure", tbl = "Table", eq = "Equation", sec = "Section" }
local NBSP = utf8.char(0xA0)

local meta = {}
local counters = { fig = 0, tbl = 0, eq = 0 }
local labels = {} -- id -> { kind, number, letter }

local function warn(text) io.stderr:write("[WARNING] " .. text .. "\n") end

local function raw(text) return pandoc.RawInline("typst", text) end

-- values ------------------------------------------------------------------------------------------------------------

local function meta_value(path)
  local value = meta
  for part in path:gmatch("[^.]+") do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

local function inlines_of(text)
  local blocks = pandoc.read(text, "markdown").blocks
  if #blocks == 1 and (blocks[1].t == "Para" or blocks[1].t == "Plain") then return blocks[1].content end
  return pandoc.Inlines({ pandoc.Str(text) })
end

local function resolve(token)
  local kind, body = token:sub(1, 1), token:sub(2)
  if kind == "v" then
    local entry = MARK[tonumber(body) + 1]
    return inlines_of(entry.text), entry.text
  elseif kind == "m" then
    local value = meta_value(body)
    if value == nil then
      local text = "?meta:" .. body
      return pandoc.Inlines({ pandoc.Str(text) }), text
    end
    local text = pandoc.utils.stringify(value)
    if pandoc.utils.type(value) == "Inlines" then return value, text end
    return inlines_of(text), text
  end
  return pandoc.Inlines({}), ""
end

local TOKEN = OPEN .. "([^" .. OPEN .. CLOSE .. "]*)" .. CLOSE

local function fill_text(text)
  if not text:find(OPEN, 1, true) then return nil end
  return (text:gsub(TOKEN, function(token)
    local _, plain = resolve(token)
    return plain
  end))
end

local function fill_str(element)
  local text = element.text
  if not text:find(OPEN, 1, true) then return nil end
  local out, position = pandoc.Inlines({}), 1
  while true do
    local first, last, token = text:find(TOKEN, position)
    if not first then break end
    if first > position then out:insert(pandoc.Str(text:sub(position, first - 1))) end
    out:extend((resolve(token)))
    position = last + 1
  end
  if position <= #text then out:insert(pandoc.Str(text:sub(position))) end
  return out
end

local function fill_attributes(element)
  for key, value in pairs(element.attributes) do
    local filled = fill_text(value)
    if filled then element.attributes[key] = filled end
  end
  return element
end

local function fill_code(element)
  element.text = fill_text(element.text) or element.text
  return element
end

local values = {
  Str = fill_str,
  Code = fill_code,
  CodeBlock = fill_code,
  Math = fill_code,
  Span = fill_attributes,
  Div = fill_attributes,
  Header = fill_attributes,
  Link = function(element)
    element.target = fill_text(element.target) or element.target
    return element
  end,
  Image = fill_attributes,
}

-- Walked before the values: a mark that is resolved as text is gone.
local function page_break(element)
  if #element.content == 1 and element.content[1].text == OPEN .. "p" .. CLOSE then
    if TYPST then return pandoc.RawBlock("typst", "#pagebreak(weak: true)") end
    return pandoc.Div({}, pandoc.Attr("", { "page-break" }))
  end
end

-- nothing foreign -----------------------------------------------------------------------------------------------------

local function drop_raw(element)
  if element.text:match("^%s*<!%-%-") then return {} end
  warn("raw " .. element.format .. " was dropped: " .. element.text:sub(1, 60))
  return {}
end

-- conditional blocks --------------------------------------------------------------------------------------------------

local function holds(attributes)
  local function is(format)
    if format == nil then return nil end
    if TYPST then return format == "typst" end
    return format == "html" or format == "html:js"
  end
  local when, unless = is(attributes["when-format"]), is(attributes["unless-format"])
  if when ~= nil then return when end
  if unless ~= nil then return not unless end
  return true
end

local function conditional(element)
  local visible, hidden = element.classes:includes("content-visible"), element.classes:includes("content-hidden")
  if not (visible or hidden) then return nil end
  if holds(element.attributes) == hidden then return {} end
  if element.t == "Span" then return element.content end
  return element.content
end

-- callouts ------------------------------------------------------------------------------------------------------------

local function callout(div)
  local kind
  for _, class in ipairs(div.classes) do kind = kind or class:match("^callout%-(%a+)$") end
  if not kind then return nil end
  local title = div.attributes.title
  local content = div.content
  if not title and content[1] and content[1].t == "Header" then
    title = pandoc.utils.stringify(content[1].content)
    content:remove(1)
  end
  title = title or (kind:sub(1, 1):upper() .. kind:sub(2))
  local box = (kind == "warning" or kind == "caution" or kind == "important") and "box-warning" or "box-note"
  return pandoc.Div(content, pandoc.Attr(div.identifier, { box, "callout", "callout-" .. kind }, { title = title }))
end

-- numbering -----------------------------------------------------------------------------------------------------------

local function kind_of(identifier)
  local kind = identifier:match("^(%a+)%-")
  return NAMES[kind] and kind or nil
end

local function next_number(kind, identifier)
  counters[kind] = counters[kind] + 1
  local number = tostring(counters[kind])
  if identifier ~= "" then labels[identifier] = { kind = kind, number = number } end
  return number
end

local function prefixed(kind, number, caption)
  local out = pandoc.Inlines({
    pandoc.Span({ pandoc.Str(NAMES[kind] .. NBSP .. number .. ":") }, pandoc.Attr("", { "label" })),
    pandoc.Space(),
  })
  out:extend(caption)
  return out
end

local function caption_inlines(caption)
  return pandoc.utils.blocks_to_inlines(caption.long or {})
end

local function float_end(kind, number, caption, identifier)
  local out = pandoc.Inlines({ raw("], caption: figure.caption(position: top, [") })
  out:extend(caption)
  out:insert(raw(("]), kind: \"quarto-float-%s\", supplement: \"%s\", numbering: (..n) => \"%s\")%s"):format(
    kind, NAMES[kind], number, identifier ~= "" and (" <" .. identifier .. ">") or "")))
  return out
end

local function single_figure(figure)
  local number = next_number("fig", figure.identifier)
  local caption = caption_inlines(figure.caption)
  if not TYPST then
    figure.caption.long = { pandoc.Plain(prefixed("fig", number, caption)) }
    return figure
  end
  local out = pandoc.Inlines({ raw("#figure([") })
  out:extend(pandoc.utils.blocks_to_inlines(figure.content))
  out:extend(float_end("fig", number, caption, figure.identifier))
  return pandoc.Para(out)
end

local function panel_parts(div)
  local figures, caption, extra = pandoc.List({}), pandoc.Inlines({}), pandoc.Blocks({})
  for index, block in ipairs(div.content) do
    local images = pandoc.List({})
    if block.t == "Para" then
      for _, inline in ipairs(block.content) do
        if inline.t == "Image" then images:insert(inline) end
      end
    end
    if block.t == "Figure" then
      figures:insert(block)
    elseif #images > 0 then
      for _, image in ipairs(images) do
        local identifier = image.identifier
        image.identifier = ""
        figures:insert(pandoc.Figure({ pandoc.Plain({ image }) }, { image.caption }, pandoc.Attr(identifier)))
      end
    elseif block.t == "Para" and index == #div.content then
      caption = block.content
    else
      extra:insert(block)
    end
  end
  return figures, caption, extra
end

local function typst_panel(figures, columns, number, caption, identifier)
  local out = pandoc.Inlines({ raw(("#figure([#grid(columns: %d, gutter: 10pt, "):format(columns)) })
  for _, part in ipairs(figures) do
    out:insert(raw("[#figure(["))
    out:extend(pandoc.utils.blocks_to_inlines(part.figure.content))
    out:insert(raw("], caption: figure.caption(position: top, ["))
    out:extend(part.caption)
    out:insert(raw(("]), kind: \"quarto-subfloat-fig\", supplement: \"\", numbering: (..n) => \"(%s)\")%s], "):format(
      part.letter, part.figure.identifier ~= "" and (" <" .. part.figure.identifier .. ">") or "")))
  end
  out:insert(raw(")"))
  out:extend(float_end("fig", number, caption, identifier))
  return pandoc.Para(out)
end

-- A figure whose picture could not be made still has its number and its words.
local function empty_figure(div, content, number, caption)
  if TYPST then
    local blocks = pandoc.Blocks({ pandoc.Plain({ raw("#figure([") }) })
    blocks:extend(content)
    blocks:insert(pandoc.Para(float_end("fig", number, caption, div.identifier)))
    return blocks
  end
  return pandoc.Figure(content, { pandoc.Plain(prefixed("fig", number, caption)) }, pandoc.Attr(div.identifier))
end

local function panel(div)
  local figures, caption, extra = panel_parts(div)
  local number = next_number("fig", div.identifier)
  local columns = tonumber(div.attributes["layout-ncol"]) or 1
  local parts = pandoc.List({})
  for index, figure in ipairs(figures) do
    local letter = string.char(96 + index)
    if figure.identifier ~= "" then
      labels[figure.identifier] = { kind = "fig", number = number, letter = letter }
    end
    parts:insert({ figure = figure, letter = letter, caption = caption_inlines(figure.caption) })
  end
  if #figures == 0 then return empty_figure(div, extra, number, caption) end
  if TYPST then
    local blocks = pandoc.Blocks({ typst_panel(parts, columns, number, caption, div.identifier) })
    blocks:extend(extra)
    return blocks
  end
  local content = pandoc.Blocks({})
  for _, part in ipairs(parts) do
    if part.figure.identifier ~= "" then
      local text = pandoc.Inlines({ pandoc.Str("(" .. part.letter .. ")"), pandoc.Space() })
      text:extend(part.caption)
      part.figure.caption.long = { pandoc.Plain(text) }
    end
    content:insert(part.figure)
  end
  local grid = pandoc.Div(content, pandoc.Attr("", { "panel", "panel-" .. tostring(columns) }))
  local body = pandoc.Blocks({ grid })
  body:extend(extra)
  return pandoc.Figure(body, { pandoc.Plain(prefixed("fig", number, caption)) }, pandoc.Attr(div.identifier))
end

local function set_widths(tbl)
  local widths = tbl.attributes["tbl-colwidths"]
  if not widths then return end
  tbl.attributes["tbl-colwidths"] = nil
  local index = 0
  for width in widths:gmatch("[%d.]+") do
    index = index + 1
    if tbl.colspecs[index] then tbl.colspecs[index] = { tbl.colspecs[index][1], tonumber(width) / 100 } end
  end
end

local function numbered_table(tbl)
  set_widths(tbl)
  if tbl.identifier == "" and #tbl.caption.long == 0 then return tbl end
  local identifier, caption = tbl.identifier, caption_inlines(tbl.caption)
  local number = next_number("tbl", identifier)
  if not TYPST then
    tbl.caption.long = { pandoc.Plain(prefixed("tbl", number, caption)) }
    return tbl
  end
  tbl.identifier = ""
  tbl.caption.long = {}
  return pandoc.Blocks({ pandoc.Plain({ raw("#figure([") }), tbl, pandoc.Para(float_end("tbl", number, caption, identifier)) })
end

local function table_div(div)
  local tbl, caption
  for _, block in ipairs(div.content) do
    if block.t == "Table" then tbl = block elseif block.t == "Para" then caption = block end
  end
  if not tbl then return nil end
  tbl.identifier = div.identifier
  if caption then tbl.caption.long = { pandoc.Plain(caption.content) } end
  return numbered_table(tbl)
end

local function equations(block)
  local content, out = block.content, pandoc.Inlines({})
  local changed, index = false, 1
  while index <= #content do
    local element, step = content[index], 1
    local is_display = element.t == "Math" and element.mathtype == "DisplayMath"
    local after = content[index + 1]
    local tail = after and (after.t == "Space" or after.t == "SoftBreak") and content[index + 2] or after
    local identifier = is_display and tail and tail.t == "Str" and tail.text:match("^{#(eq%-[%w_-]+)}$")
    if identifier then
      changed = true
      step = (tail == after) and 2 or 3
      local number = next_number("eq", identifier)
      if TYPST then
        out:insert(raw(("#math.equation(block: true, numbering: (..n) => \"(%s)\", [ "):format(number)))
        out:insert(element)
        out:insert(raw(" ])<" .. identifier .. ">"))
      else
        local label = pandoc.Span({ pandoc.Str("(" .. number .. ")") }, pandoc.Attr("", { "equation-number" }))
        out:insert(pandoc.Span({ element, label }, pandoc.Attr(identifier, { "equation" })))
      end
    else
      out:insert(element)
    end
    index = index + step
  end
  if not changed then return nil end
  block.content = out
  return block
end

local numbering = {
  traverse = "topdown",
  Figure = function(figure)
    if kind_of(figure.identifier) == "fig" then return single_figure(figure), false end
  end,
  Div = function(div)
    local kind = kind_of(div.identifier)
    if kind == "fig" then return panel(div), false end
    if kind == "tbl" then return table_div(div), false end
    if div.attributes["layout-ncol"] then
      div.classes:extend({ "panel", "panel-" .. div.attributes["layout-ncol"] })
      div.attributes["layout-ncol"] = nil
      return div
    end
  end,
  Table = function(tbl) return numbered_table(tbl), false end,
  Para = equations,
  Plain = equations,
}

local function number_sections(blocks)
  local top = 10
  blocks:walk({ Header = function(header) top = math.min(top, header.level) end })
  local counts = {}
  return blocks:walk({
    Header = function(header)
      if header.classes:includes("unnumbered") then return nil end
      local depth = header.level - top + 1
      counts[depth] = (counts[depth] or 0) + 1
      for deeper = depth + 1, 10 do counts[deeper] = nil end
      local parts = {}
      for level = 1, depth do parts[level] = tostring(counts[level] or 0) end
      local number = table.concat(parts, ".")
      if header.identifier ~= "" then labels[header.identifier] = { kind = "sec", number = number } end
      if TYPST then return nil end
      header.content:insert(1, pandoc.Space())
      header.content:insert(1, pandoc.Span({ pandoc.Str(number) }, pandoc.Attr("", { "section-number" })))
      return header
    end,
  })
end

-- cross-references ----------------------------------------------------------------------------------------------------

local function reference(citation)
  local label = labels[citation.id]
  if not label then return pandoc.Strong({ pandoc.Str("?@" .. citation.id) }) end
  local number = label.number
  if label.letter then number = number .. (TYPST and label.letter or (NBSP .. "(" .. label.letter .. ")")) end
  local text = number
  if citation.mode ~= "SuppressAuthor" then text = NAMES[label.kind] .. NBSP .. number end
  return pandoc.Link({ pandoc.Str(text) }, "#" .. citation.id, "", pandoc.Attr("", { "cross-reference" }))
end

local function references(cite)
  local out = pandoc.Inlines({})
  for index, citation in ipairs(cite.citations) do
    if not kind_of(citation.id) then return nil end
    if index > 1 then out:extend({ pandoc.Str(","), pandoc.Space() }) end
    out:extend(citation.prefix)
    if #citation.prefix > 0 then out:insert(pandoc.Space()) end
    out:insert(reference(citation))
    out:extend(citation.suffix)
  end
  return out
end

function Pandoc(doc)
  meta = doc.meta
  doc = doc:walk({ RawInline = drop_raw, RawBlock = drop_raw })
  doc = doc:walk({ Para = page_break })
  doc = doc:walk(values)
  doc = doc:walk({ Div = conditional, Span = conditional })
  doc = doc:walk({ Div = callout })
  doc.blocks = number_sections(doc.blocks)
  doc.blocks = doc.blocks:walk(numbering)
  return doc:walk({ Cite = references })
end
