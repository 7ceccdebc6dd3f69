-- Run by both renderers after their own work: boxes, alt text of images and formulas, marked numbers, table layout.

local TYPST = FORMAT:match("typst") ~= nil
local HTML = FORMAT:match("html") ~= nil
local BOXES = { answer = "The answer", verdict = "Verdict", warning = "Warning", note = "Note" }

local function quoted(text)
  return "\"" .. text:gsub("\\", "\\\\"):gsub("\"", "\\\""):gsub("%s+", " ") .. "\""
end

local function box_of(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match("^box%-(%a+)$")
    if BOXES[kind] then return kind end
  end
end

local function title_inlines(text)
  return pandoc.utils.blocks_to_inlines(pandoc.read(text, "markdown").blocks)
end

local function box(div)
  local kind = box_of(div)
  if not kind then return nil end
  local title = title_inlines(div.attributes.title or BOXES[kind])
  div.attributes.title = nil
  if TYPST then
    local opening = pandoc.Inlines({ pandoc.RawInline("typst", "#bellwether-box(\"" .. kind .. "\", [") })
    opening:extend(title)
    opening:insert(pandoc.RawInline("typst", "])["))
    local blocks = pandoc.Blocks({ pandoc.Plain(opening) })
    blocks:extend(div.content)
    blocks:insert(pandoc.RawBlock("typst", "]"))
    return blocks
  end
  if not HTML then return nil end
  div.classes:insert(1, "box")
  div.attributes.role = "note"
  div.attributes["aria-label"] = pandoc.utils.stringify(title)
  div.content:insert(1, pandoc.Div({ pandoc.Para(title) }, pandoc.Attr("", { "box-title" })))
  return div
end

local function local_path(source)
  if source:match("^%a[%w+.-]*:") or source:match("^/") or source:match("^\\") or ("/" .. source .. "/"):match("/%.%./") then
    error("an image must be a file inside the document's folder, not: " .. source)
  end
  return source
end

local function alt_of(image)
  local alt = image.attributes["fig-alt"] or image.attributes.alt or pandoc.utils.stringify(image.caption)
  image.attributes["fig-alt"] = nil
  image.attributes.alt = nil
  return alt
end

local function image(element)
  if element.src:match("^data:") then return nil end
  local source, alt = local_path(element.src), alt_of(element)
  if TYPST then
    local options = "alt: " .. quoted(alt)
    local width = element.attributes.width
    if width then options = options .. ", width: " .. width:gsub("px$", "pt") end
    return pandoc.RawInline("typst", ("#image(%s, %s)"):format(quoted(source), options))
  end
  if HTML then
    element.caption = pandoc.Inlines({})
    element.title = ""
    element.attributes.alt = alt
    return element
  end
end

local function formula(element)
  local code = pandoc.write(pandoc.Pandoc({ pandoc.Plain({ element }) }), "typst"):gsub("%s+$", "")
  local block = element.mathtype == "DisplayMath" and "true" or "false"
  return pandoc.RawInline("typst", ("#math.equation(block: %s, alt: %s, %s.body)"):format(block, quoted(element.text), code))
end

-- A labelled equation arrives as raw opening, formula, raw closing: the alt text belongs on the outer element.
local function formulas(inlines)
  local out = pandoc.Inlines({})
  for index, element in ipairs(inlines) do
    local before = inlines[index - 1]
    if element.t == "Math" and before and before.t == "RawInline" and before.text:match("#math%.equation%([^%[]*%[%s*$") then
      local opening = out[#out].text
      if not opening:find("alt:", 1, true) then
        local alt = ("#math.equation(alt: %s, "):format(quoted(element.text))
        out[#out] = pandoc.RawInline("typst", (opening:gsub("#math%.equation%(", function() return alt end, 1)))
      end
      out:insert(element)
    elseif element.t == "Math" then
      out:insert(formula(element))
    else
      out:insert(element)
    end
  end
  return out
end

local function marked_number(span)
  local key = span.attributes.cite
  if not key or not HTML then return nil end
  span.attributes.cite = nil
  span.attributes["data-cite"] = key
  span.classes:insert("cited-number")
  return span
end

local function even_widths(colspecs)
  local first = colspecs[1] and colspecs[1][2]
  for _, spec in ipairs(colspecs) do
    if not spec[2] or math.abs(spec[2] - (first or 0)) > 1e-6 then return false end
  end
  return true
end

local function layout_table(tbl)
  if even_widths(tbl.colspecs) then
    tbl.colspecs = tbl.colspecs:map(function(spec) return { spec[1], nil } end)
  end
  if TYPST then
    if not tbl.classes:includes("typst:no-figure") then tbl.classes:insert("typst:no-figure") end
    return tbl
  end
  if not HTML then return nil end
  for _, body in ipairs(tbl.bodies) do body.row_head_columns = 1 end
  local caption = pandoc.utils.stringify(tbl.caption.long or {})
  -- A list of pairs keeps its order; the order of a table with keys changes from run to run, and so would the bytes.
  local attributes = { { "role", "region" }, { "tabindex", "0" }, { "aria-label", caption ~= "" and caption or "Table" } }
  return pandoc.Div({ tbl }, pandoc.Attr("", { "table-scroll" }, attributes))
end

local steps = { { Div = box }, { Image = image, Span = marked_number, Table = layout_table } }
if TYPST then table.insert(steps, 2, { Inlines = formulas }) end
return steps
